"""One page a module; each holds only its content, `async def content(visit)`."""
