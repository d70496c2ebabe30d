"""Clips with their labels in tar files of a size that hubs and streams like."""
