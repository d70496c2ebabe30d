"""Pages on releases: what is in them, and what the next one would hold."""
