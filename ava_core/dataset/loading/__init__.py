"""A release as a training loop reads it: PyTorch's dataset, and the pictures that lie in frames, videos or shards."""
