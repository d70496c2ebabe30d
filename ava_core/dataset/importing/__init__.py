"""Taking over existing work: AVA datasets, the older tools' csv, CVAT's XML; one file a format."""
