"""Elements that pages are made of: a table that pages on the server, charts, the clip player, runs, the uploader,
the newest answer in its place, what others decide meanwhile, and what was asked for once."""
