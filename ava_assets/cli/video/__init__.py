"""Commands on batches and their videos."""
