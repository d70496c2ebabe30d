"""The console, in which an admin runs everything: NiceGUI pages over `ava_core`, and Dagster over GraphQL.

A page is a module in `pages` that holds its content alone; `main` lists the pages and wires them to addresses;
`theme.frame` makes all of them look the same. Everything but the login and the webhook is behind a session.
"""
