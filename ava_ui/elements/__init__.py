"""Elements that pages are made of: a table that pages on the server, charts, the clip player, the uploader."""
