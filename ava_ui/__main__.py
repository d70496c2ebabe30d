"""`python -m ava_ui`: the console as a process of its own."""

from ava_ui.main import serve

if __name__ == "__main__":
    serve()
