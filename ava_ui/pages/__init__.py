"""A page a module, which holds its content, `async def content(visit)`; beside it the panels of which it has many."""
