"""The older tool's `AVA_dataset.csv`: read alone."""
