"""CVAT XML 1.1: read here, written by `annotation.xml`."""
