"""What people do: tasks for annotators, the watch over them, and the reading back of their work."""
