"""What surrounds every page: its look, and who visits it."""
