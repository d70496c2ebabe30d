"""What the console has read and keeps: one file a subject, read once until it changes."""
