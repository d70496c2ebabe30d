"""Dagster as the console sees it: over GraphQL, and in this room alone."""
