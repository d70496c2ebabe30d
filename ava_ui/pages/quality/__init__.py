"""Pages on which reviewers compare, decide, adjudicate and audit."""
