"""Datasets that AVA's readers load: one per batch, and releases over all approved batches."""
