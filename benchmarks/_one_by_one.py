"""The console with every delivery in a transaction of its own, for comparison."""

from ava_core.annotation import deliveries
from ava_ui.main import serve

if __name__ == "__main__":
    deliveries.AT_ONCE = 1  # type: ignore[misc]
    serve()
