"""What should exist of every batch, compared with what exists: the one thing that each batch needs next.

Nothing is remembered of events. What is there to be read, decisions and readings say what should exist; the notes of
what each asset was made of say what does. So whatever was lost on the way is found again at the next look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import select

from ava_core.annotation.sync import CompletedWork, completed_work
from ava_core.base.settings import Settings
from ava_core.base.text import plural
from ava_core.decisions import newest_decision, newest_decisions
from ava_core.store import Store, made_of
from ava_core.store.made_of import States
from ava_core.store.tables import Batch, BatchNeed, Task

Stage = Literal["video", "reading", "consensus"]

VIDEO_ASSETS: Final = ("source_videos", "clips", "tracks", "dense_proposals")
TASKS: Final = "cvat_tasks"
READING_ASSETS: Final = ("raw_annotations", "agreement")
CONSENSUS_ASSETS: Final = ("consensus_labels", "ava_csv")

FIRST_WAIT_SECONDS: Final = 30.0
"""Before what failed is tried again; then twice as long, and so on."""
LONGEST_WAIT_SECONDS: Final = 3600.0
QUIET_SECONDS: Final = 60.0
"""Work on a batch of which more is to come is read once nobody has completed anything for so long …"""
LONGEST_UNREAD_SECONDS: Final = 900.0
"""… or once it has waited for so long."""

BEHIND: Final[Mapping[str, str]] = {
    "raw_annotations": "Completed jobs have changed since the raw annotations were read.",
    "agreement": "Completed jobs have changed since agreement was measured.",
    "consensus_labels": "The consensus is older than the newest reading or decision.",
    "ava_csv": "The dataset is older than the newest reading or decision.",
}
"""How people are told that an asset is behind what it is made from."""


@dataclass(frozen=True)
class Need:
    """What a batch needs: `assets` made of `state`, in one run. `complete`: nothing more is to come for it soon."""

    batch: str
    stage: Stage
    assets: tuple[str, ...]
    state: str
    sentence: str
    complete: bool = True


def needs(store: Store, settings: Settings) -> dict[str, Need]:
    """By batch, what it needs next; archived batches, and those that need nothing, are left out."""
    made, work, decided = made_of.of_all(store), completed_work(store), newest_decisions(store)
    with store.session() as session:
        active = session.execute(
            select(Batch.name, Batch.options).where(Batch.archived_at.is_(None)).order_by(Batch.created_at)
        ).all()
        dealt = set(session.scalars(select(Task.batch).distinct()))
    found = {}
    for name, options in active:
        at_once = options.get("deal_out", settings.deal_out) == "at once"
        need = (
            _video(name, made.get(name, {}), with_tasks=at_once or name in dealt)
            or _reading(name, made.get(name, {}), work.get(name))
            or _consensus(name, made.get(name, {}), decided.get(name, 0))
        )
        if need is not None:
            found[name] = need
    return found


def behind(store: Store, batch: str) -> dict[str, str]:
    """By asset of a batch that is behind what it is made from, a sentence; what was never made is not behind."""
    made, work = made_of.of_batch(store, batch), completed_work(store, batch).get(batch)
    wanted = (_of_work(work) if work else {}) | _of_decisions(made, newest_decision(store, batch))
    return {asset: BEHIND[asset] for asset in _differing(made, wanted) if asset in made}


def reading_state(store: Store, batch: str) -> str:
    """What a reading of a batch's completed work would be made of now; "" where nothing is completed."""
    work = completed_work(store, batch).get(batch)
    return work.digest if work else ""


def consensus_state(reading: str, decision: int) -> str:
    """What a consensus is made of: a reading, and the newest decision."""
    return f"{reading} {decision}"


def wait_seconds(tries: int) -> float:
    """How long to wait after a try that failed."""
    return min(FIRST_WAIT_SECONDS * 2.0 ** (max(tries, 1) - 1), LONGEST_WAIT_SECONDS)


def may_wait(need: Need, since: float, first: float, now: float) -> bool:
    """Whether more is to come: `since` this state was seen, and `first` when anything was seen to be unread."""
    return not need.complete and now - since < QUIET_SECONDS and now - first < LONGEST_UNREAD_SECONDS


def in_words(row: BatchNeed, now: float) -> str:
    """Why a batch does not come on by itself, for people; "" where nothing went wrong."""
    if not row.problem:
        return ""
    said = row.problem if row.problem.endswith(".") else f"{row.problem}."
    tried = f"{said} Tried {plural(row.tries, 'time')}"
    if row.next_at is None:
        return f"{tried}; check it by hand."
    minutes = max(1, round((row.next_at - now) / 60))
    return f"{tried}, again in {plural(minutes, 'minute')}."


def _video(batch: str, made: States, *, with_tasks: bool) -> Need | None:
    """From the first asset that is missing on: each is made of the one before it."""
    chain = (*VIDEO_ASSETS, TASKS) if with_tasks else VIDEO_ASSETS
    missing = next((n for n, asset in enumerate(chain) if asset not in made), None)
    if missing is None:
        return None
    return Need(batch, "video", chain[missing:], chain[missing], f"{chain[missing]} is to be made.")


def _reading(batch: str, made: States, work: CompletedWork | None) -> Need | None:
    if work is None or not _differing(made, _of_work(work)):
        return None
    said = f"{work.completed} of {plural(work.total, 'job')} completed, with changes not read yet."
    return Need(batch, "reading", READING_ASSETS, work.digest, said, work.completed >= work.total)


def _consensus(batch: str, made: States, decision: int) -> Need | None:
    wanted = _of_decisions(made, decision)
    if not _differing(made, wanted):
        return None
    said = "Consensus and dataset do not include the newest reading or decision."
    return Need(batch, "consensus", CONSENSUS_ASSETS, wanted[CONSENSUS_ASSETS[0]], said)


def _of_work(work: CompletedWork) -> States:
    """What reading and agreement would be made of now."""
    return dict.fromkeys(READING_ASSETS, work.digest)


def _of_decisions(made: States, decision: int) -> States:
    """What consensus and dataset would be made of now: nothing before a reading is measured and decided on."""
    read = {made.get(asset) for asset in READING_ASSETS}
    if not decision or None in read or len(read) > 1:
        return {}
    return dict.fromkeys(CONSENSUS_ASSETS, consensus_state(str(read.pop()), decision))


def _differing(made: States, wanted: States) -> list[str]:
    return [asset for asset, state in wanted.items() if made.get(asset) != state]
