"""Elements that pages are made of: a table that pages on the server, charts, the clip player, runs, the uploader, and
the newest answer in its place."""
