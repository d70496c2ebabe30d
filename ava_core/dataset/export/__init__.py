"""Datasets in the layouts that AVA's readers enforce; one file a concern."""
