"""The one partitioning: a partition is a batch (one zip or folder of source videos)."""

from __future__ import annotations

from dagster import DynamicPartitionsDefinition

video_batch = DynamicPartitionsDefinition(name="video_batch")
