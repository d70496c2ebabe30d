"""Datasets: their formats, how a release is made of approved batches, how existing work is taken over."""
