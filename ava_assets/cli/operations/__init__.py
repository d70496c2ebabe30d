"""Commands on the platform: starting it, its users, its health, the demonstration."""
