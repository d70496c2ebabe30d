"""What the clip player shows, as JSON: a clip, layers of boxes with labels, and where annotators differ."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from ava_core.annotation.pages import at_frame, job_page
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS
from ava_core.quality.agreement.stretches import stretches
from ava_core.quality.review.audits import BlindItem
from ava_core.store import tasks
from ava_core.store.imported_work import is_imported
from ava_ui import addresses
from ava_ui.known.console import Console
from ava_ui.known.drafts import preview_consensus, raw_tables

Json = dict[str, Any]

LAYER_COLOURS: Final = (
    "#4da3ff",
    "#ffb347",
    "#c792ea",
    "#5fd38d",
    "#ff7a85",
    "#7fdbda",
    "#d4d36a",
    "#c9a27e",
    "#b0b8c4",
)
CONSENSUS_COLOUR: Final = "#ffffff"


def track_document(console: Console, batch: str, clip_id: str) -> Json:
    """A clip with its tracks, interpolated boxes dashed."""
    clip = console.tables.clip(batch, clip_id)
    tracks = console.tables.of_clip(batch, "tracks", clip_id)
    layers = []
    if tracks is not None:
        rows = tracks.select("track_id", "frame", *BOX_COLUMNS, "interpolated").sort("track_id", "frame")
        layers.append({
            "key": "tracks", "name": "tracks", "kind": "tracks", "colour": "#ffffff", "link": "",
            "tracks": [
                {"id": number, "person": number, "name": str(number), "labels": {}, "boxes": _boxes(part)}
                for (number,), part in rows.group_by(["track_id"], maintain_order=True)
            ],
        })  # fmt: skip
    return _clip(batch, clip) | {"layers": layers, "groups": [], "actions": {}, "conflicts": []}


def review_document(console: Console, batch: str, clip_id: str) -> Json:
    """A clip with what each annotator said, and the consensus that approving it would give."""
    clip = console.tables.clip(batch, clip_id)
    raw = raw_tables(console, batch)
    ontology = console.ontology(batch)
    formed = preview_consensus(console, batch, clip_id)
    mine = pl.col("clip_id") == clip_id
    persons = formed["persons"].filter(mine)
    boxes = raw["raw_boxes"].filter(mine).join(persons, on=["clip_id", "annotator", "track_key"], how="left")
    labels = raw["raw_labels"].filter(mine)
    links = _job_links(console, batch, clip_id)
    layers = [
        {
            "key": f"annotator {name}", "name": name, "kind": "annotator",
            **links.get(name, {"link": "", "in_cvat": ""}),
            "colour": LAYER_COLOURS[number % len(LAYER_COLOURS)],
            "tracks": _annotator_tracks(
                boxes.filter(pl.col("annotator") == name), labels.filter(pl.col("annotator") == name)
            ),
        }
        for number, name in enumerate(raw["completed_jobs"].filter(mine)["annotator"].unique().sort())
    ]  # fmt: skip
    layers.append({
        "key": "consensus", "name": "consensus", "kind": "consensus", "colour": CONSENSUS_COLOUR, "link": "",
        "tracks": _consensus_tracks(
            formed["consensus_boxes"].filter(mine), formed["consensus_labels"].filter(mine)
        ),
    })  # fmt: skip
    names = {action.id: action.name for action in ontology.actions}
    conflicts = console.tables.of_clip(batch, "agreement", clip_id, "conflicts")
    differing = [] if conflicts is None else _conflicts(conflicts, names)
    return _clip(batch, clip) | {
        "layers": layers,
        "groups": [group.name for group in ontology.groups],
        "actions": names,
        "conflicts": _breaches(console, batch, clip_id, persons) + differing,
    }


def audit_document(console: Console, batch: str, item: BlindItem) -> Json:
    """A clip with the box of one audited person, at its second and those beside it; nothing of what was decided."""
    clip = console.tables.clip(batch, item.clip_id)
    boxes = console.tables.of_clip(batch, "consensus_labels", item.clip_id, "consensus_boxes")
    own = {item.frame: [item.frame, item.x1, item.y1, item.x2, item.y2, False]}
    if boxes is not None:
        near = boxes.filter(
            pl.col("person_id") == item.person_id, (pl.col("second") - item.second).abs().is_between(1, 2)
        )
        rows = near.select((pl.col("second") * CLIP_FPS).alias("frame"), *BOX_COLUMNS).rows()
        own |= {frame: [frame, *box, True] for frame, *box in rows}
    track = {
        "id": item.person_id, "person": item.person_id, "name": "?", "labels": {},
        "boxes": [own[frame] for frame in sorted(own)],
    }  # fmt: skip
    layer = {
        "key": "asked", "name": "the person in question", "kind": "asked", "colour": "#ffd23f", "link": "",
        "tracks": [track],
    }  # fmt: skip
    return _clip(batch, clip) | {"layers": [layer], "groups": [], "actions": {}, "conflicts": []}


def _clip(batch: str, clip: Json) -> Json:
    url = addresses.clip_video(batch, clip["clip_id"])
    shape = {name: clip[name] for name in ("frames", "width", "height")}
    return {"clip": {"id": clip["clip_id"], "batch": batch, "url": url, "fps": CLIP_FPS, **shape}}


def _boxes(rows: pl.DataFrame) -> list[list[Any]]:
    return [[frame, *(round(v, 1) for v in box), soft] for _, frame, *box, soft in rows.iter_rows()]


def _annotator_tracks(boxes: pl.DataFrame, labels: pl.DataFrame) -> list[Json]:
    said: dict[str, dict[int, Json]] = {}
    for key, second, group, ids in labels.select("track_key", "second", "group", "action_ids").iter_rows():
        said.setdefault(key, {}).setdefault(second, {})[group] = {"actions": list(ids)}
    frame = (pl.col("second") * CLIP_FPS).alias("frame")
    by = ["track_key", "person_id"]
    rows = boxes.select(*by, frame, *BOX_COLUMNS, soft=~pl.col("edited"))
    return [
        {"id": key, "person": person or 0, "name": str(person or "?"), "labels": said.get(key, {}),
         "boxes": _boxes(part.drop("person_id"))}
        for (key, person), part in rows.sort("track_key", "frame").group_by(by, maintain_order=True)
    ]  # fmt: skip


def _consensus_tracks(boxes: pl.DataFrame, labels: pl.DataFrame) -> list[Json]:
    said: dict[int, dict[int, Json]] = {}
    columns = ("person_id", "second", "group", "action_id", "votes", "voters", "rule")
    for person, second, group, action, votes, voters, rule in labels.select(columns).iter_rows():
        answer = (
            said.setdefault(person, {})
            .setdefault(second, {})
            .setdefault(group, {"actions": [], "tie": False, "share": ""})
        )
        if action is not None:
            answer["actions"].append(action)
        answer["tie"] = answer["tie"] or rule == "majority_tie"
        answer["share"] = rule if rule == "adjudicated" else f"{votes}/{voters}"
    frame = (pl.col("second") * CLIP_FPS).alias("frame")
    rows = boxes.select("person_id", frame, *BOX_COLUMNS, soft=pl.col("rule") == "tie")
    return [
        {
            "id": person,
            "person": person,
            "name": str(person),
            "labels": said.get(person, {}),
            "boxes": _boxes(part),
        }
        for (person,), part in rows.sort("person_id", "frame").group_by(["person_id"], maintain_order=True)
    ]


def _conflicts(rows: pl.DataFrame, names: dict[int, str]) -> list[Json]:
    """Stretches at which annotators differ, `second` to `until`."""
    return [
        {"second": row["second"], "until": row["until"], "person": row["person_id"], "kind": row["kind"],
         "frame": row["frame"], "detail": named(row["detail"], names)}
        for row in stretches(rows).iter_rows(named=True)
    ]  # fmt: skip


def _breaches(console: Console, batch: str, clip_id: str, persons: pl.DataFrame) -> list[Json]:
    """Broken rules, the grave ones first, in the form of conflicts."""
    found = console.tables.of_clip(batch, "raw_annotations", clip_id, "rule_findings")
    if found is None:
        return []
    known = found.join(persons, on=["clip_id", "annotator", "track_key"], how="left")
    return [
        {
            "second": row["second"], "until": row["second"], "person": row["person_id"] or 0,
            "kind": f"rule: {row['rule']}", "frame": row["frame"], "grave": row["severity"] == "block",
            "detail": f"{row['annotator']}: {row['detail']}. {row['say']}".strip(),
        }
        for row in known.sort("severity", "second", "annotator").iter_rows(named=True)
    ]  # fmt: skip


def named(detail: str, names: dict[int, str]) -> str:
    """`mia=20; tom=21+22` with the actions' names instead of their ids."""
    parts = []
    for part in detail.split("; "):
        who, equals, ids = part.partition("=")
        known = [names.get(int(i), i) if i.strip().isdigit() else i for i in ids.split("+")] if equals else []
        parts.append(f"{who}: {', '.join(known)}" if equals else part)
    return "; ".join(parts)


def _job_links(console: Console, batch: str, clip_id: str) -> dict[str, dict[str, str]]:
    """Addresses of annotators' jobs to which a frame's number is appended: `link` here, `in_cvat` on a real CVAT."""
    settings = console.settings
    found = {}
    for job in tasks.jobs_of(console.store, batch, clip_id):
        if job.of_annotator and not is_imported(job.job_id):
            there = "" if settings.cvat_is_embedded else at_frame(job_page(settings, job.task_id, job.job_id))
            found[job.annotator] = {"link": at_frame(addresses.label(job.job_id)), "in_cvat": there}
    return found
