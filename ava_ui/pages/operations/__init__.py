"""Pages on the platform as a whole, its people, and its log."""
