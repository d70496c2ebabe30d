"""Datumaro's `ava` format."""
