"""The annotation server: how tasks get there, how people's work comes back; and the embedded stand-in."""
