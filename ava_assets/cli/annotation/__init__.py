"""Commands on annotators, their work, and CVAT."""
