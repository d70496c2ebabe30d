"""The Dagster side: one asset per artifact, partitioned by video batch; sensors, checks, commands.

Subject first, then kind: `video`, `annotation`, `quality`, `dataset`, each with its assets, checks and
sensors; `definitions.py` only merges them.
"""
