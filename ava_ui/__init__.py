"""The console, in which an admin runs everything: NiceGUI pages over `ava_core`, and Dagster over GraphQL.

`addresses`: every page's address. `main` puts the pages there, and starts the console.

- `pages`: a module a page, which holds its content alone, by subject: `video`, `annotation`, `quality`, `dataset`,
  `operations`. What somebody chooses on one is a plain class; a panel beside it draws that.
- `elements`: what pages are made of: tables, charts, the clip player, the newest answer in its place.
- `frame`: what surrounds every page, and who visits it.
- `known`: what the console has read and keeps, for all open pages together.
- `web`: what the browser is given besides pages: the door, files, uploads.
- `dagster`: the one way to Dagster.

Everything but the login and the webhook is behind a session.
"""
