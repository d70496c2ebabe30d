"""consensus_labels → ava_csv, and ava_release over all approved batches."""

from collections.abc import Iterator

import polars as pl
from dagster import (
    AssetExecutionContext,
    Config,
    MaterializeResult,
    MetadataValue,
    Output,
    asset,
)

from ava_assets.logging import log_progress
from ava_assets.metadata import MADE_OF, console_link, place, shown_as
from ava_assets.partitions import video_batch
from ava_assets.resources import Platform
from ava_core.base.console_pages import DATASET, RELEASE
from ava_core.dataset.export.batch import remove_batch, write_batch
from ava_core.dataset.export.inputs import load_batch
from ava_core.dataset.export.options import ReleaseOptions
from ava_core.dataset.export.release import write_release
from ava_core.dataset.export.splits import RATIOS
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.flavours import DEFAULT
from ava_core.store import made_of

GROUP = "dataset"

WAIT_SECONDS = 60.0
"""How long a release waits for runs that bring a consensus up to its log: what follows a decision takes seconds."""

Tables = dict[str, pl.DataFrame]


@asset(partitions_def=video_batch, kinds={"csv"}, output_required=False, **shown_as(GROUP))
def ava_csv(
    context: AssetExecutionContext, platform: Platform, consensus_labels: Tables
) -> Iterator[Output[pl.DataFrame]]:
    """This batch in AVA layouts: csv, frame list, frames, pbtxt, proposals; none while nothing is approved."""
    at = platform.batch(context.partition_key)
    state = made_of.of_batch(at.store, at.batch).get("consensus_labels", "")
    if consensus_labels["consensus_labels"].is_empty():
        remove_batch(at)
        made_of.note(at.store, at.batch, "ava_csv", state)
        context.log.info("No clip is approved, so this batch has no dataset.")
        return
    written = write_batch(at, load_batch(at), sink=log_progress(context))
    yield Output(
        written.rows,
        metadata={
            MADE_OF: state,
            **console_link(at.settings, DATASET),
            "dataset": place(at.storage, written.folder),
        },
    )


class ReleaseConfig(Config):
    """How a release is made: `ReleaseOptions`, in Dagster's types. An empty `name` takes the next free one."""

    name: str = ""
    note: str = ""
    licence: str = ""
    authors: list[str] = []
    flavours: list[str] = list(DEFAULT)
    ratios: dict[str, float] = dict(RATIOS)
    pins: dict[str, str] = {}
    least_rows: int = 0
    drop_rare: bool = False
    drop_weak: bool = False
    least_chance: float = 0.0
    batches: list[str] = []
    actor: str = ""
    wait: float = WAIT_SECONDS
    leave_behind: bool = False


@asset(kinds={"csv"}, deps=[ava_csv], **shown_as(GROUP))
def ava_release(
    context: AssetExecutionContext, platform: Platform, config: ReleaseConfig
) -> MaterializeResult[None]:
    """All approved batches as one immutable dataset, split by source video, with a card. Made on request."""
    released = write_release(
        ReleaseOptions(**config.model_dump()),
        platform.settings,
        platform.storage,
        platform.store,
        sink=log_progress(context),
    )
    for clip, reason in released.left_out.items():
        context.log.warning(f"Clip {clip} is excluded: {reason}.")
    return MaterializeResult(
        metadata={
            **console_link(platform.settings, RELEASE, release=released.folder.name),
            "folder": place(platform.storage, released.folder),
            "card": MetadataValue.md((released.folder / names.CARD).read_text("utf-8")),
            **released.counts,
            "left_out": len(released.left_out),
        },
    )
