"""What a reviewer sees before deciding, and the report that is read afterwards."""
