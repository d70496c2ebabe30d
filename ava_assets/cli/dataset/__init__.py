"""Commands on datasets and releases."""
