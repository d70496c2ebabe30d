"""How a dataset is made of approved batches, and what a release says of itself; one file a concern."""
