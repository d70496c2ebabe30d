"""Commands on decisions, gold clips and audits."""
