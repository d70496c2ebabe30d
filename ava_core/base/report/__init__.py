"""Reports for people: HTML documents, and drawing on pictures."""
