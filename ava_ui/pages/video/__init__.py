"""Pages on batches, their videos, clips and runs."""
