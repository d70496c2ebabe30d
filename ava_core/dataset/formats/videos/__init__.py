"""Clips as the videos that they were cut to."""
