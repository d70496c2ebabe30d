"""Pages on tasks, the progress of annotators, and the connection to their server."""
