"""The domain of the AVA platform: everything that is neither Dagster nor the console.

Importing this package is cheap (no torch, no OpenCV, no polars); each room is imported where it is used.
"""

__version__ = "0.1.0"
