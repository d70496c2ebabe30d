"""The pictures of the README, taken of the platform itself: `python -m tests.pictures`."""
