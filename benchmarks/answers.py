"""How many of the answers that people give in CVAT are read back, literally and as the platform reads them.

Both readings are of the same simulated work: pre-drawn tracks with `unset` at every keyframe, each answer written into
the keyframe that is shown and into no other, as CVAT's interface does. Literally, a keyframe that says `unset` ends
what was said before it. An answer is one group of one person at one whole second; it is kept where it reads back as it
was given.

    python -m benchmarks.answers [--json FILE]
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from ava_core.annotation.prefill import prefill_tracks, to_api
from ava_core.annotation.reading import Shape, box_at, said_at, shapes_from_api
from ava_core.annotation_server.content import filled
from ava_core.base.schemas import BOX_COLUMNS, CLIP_FPS, CLIPS, TRACKS
from ava_core.demo.editing import Form, edit_tracks
from ava_core.demo.perception import PROFILES, Perception, perceive
from ava_core.demo.truth import invented_truth
from ava_core.ontology import Ontology, load_ontology
from ava_core.ontology.form import SEED_TRACK_ATTRIBUTE, cvat_labels, labels_from_values
from benchmarks._bench import Bars, argument_parser, table

CLIP_COUNT, PEOPLE, FRAMES = 7, 13, 450
LABEL_ID: Final = 1
LEAST_KEPT = 0.995


def tracked_people(seed: int) -> pl.DataFrame:
    """`schemas.TRACKS`: people who walk, stop, come nearer and are lost behind something for a while."""
    draw = np.random.default_rng(seed)
    parts = []
    for clip in range(CLIP_COUNT):
        for person in range(1, PEOPLE + 1):
            first = int(draw.integers(0, 150))
            frames = np.arange(first, FRAMES - int(draw.integers(0, 100)), 3)
            steps = draw.normal(0.0, 1.5, (len(frames), 2)).cumsum(axis=0)
            turns = np.sin(frames[:, None] / draw.uniform(15, 60, 2)) * draw.uniform(20, 90, 2)
            centre = draw.uniform([200, 200], [1000, 500]) + steps + turns
            half = np.array([25.0, 60.0]) * (1 + 0.3 * np.sin(frames[:, None] / draw.uniform(40, 120)))
            away = int(draw.integers(0, len(frames)))
            seen = np.ones(len(frames), dtype=bool)
            seen[away : away + int(draw.integers(0, 20))] = False
            boxes = np.concatenate([centre - half, centre + half], axis=1)[seen]
            own = {
                "clip_id": f"c{clip}",
                "frame": frames[seen],
                "track_id": person,
                "score": 0.9,
                "interpolated": False,
            }
            parts.append(pl.DataFrame(own | dict(zip(BOX_COLUMNS, boxes.T, strict=True))).select(
                pl.col(name).cast(kind) for name, kind in TRACKS.items()))  # fmt: skip
    return pl.concat(parts)


def clip_table() -> pl.DataFrame:
    """`schemas.CLIPS`, as far as it matters here."""
    rows = [{"clip_id": f"c{n}", "frames": FRAMES, "width": 1280, "height": 720} for n in range(CLIP_COUNT)]
    return pl.DataFrame(rows, schema=dict(CLIPS))


def literal(track: list[Shape], frame: int, ontology: Ontology) -> dict[str, list[int]]:
    """What the keyframe in force says, as CVAT shows it."""
    held: dict[str, str] = {}
    for shape in track:
        if shape["frame"] <= frame:
            held |= shape["attributes"]
    return labels_from_values(ontology, held)[0]


def compare(track: list[Shape], clip: str, view: Perception, ontology: Ontology) -> tuple[int, int, int]:
    """Answers given while the track is seen; of these, kept by the literal reading and by the platform's."""
    person = f"{clip}#{track[0]['attributes'][SEED_TRACK_ATTRIBUTE]}"
    given = literally = kept = 0
    for second in range(FRAMES // CLIP_FPS):
        answers = view.labels.get((person, second), {})
        frame = second * CLIP_FPS
        if box_at(track, frame) is None:
            continue
        shown, said = literal(track, frame, ontology), said_at(track, frame, ontology).labels
        given += len(answers)
        literally += sum(shown.get(group) == ids for group, ids in answers.items())
        kept += sum(said.get(group) == ids for group, ids in answers.items())
    return given, literally, kept


def main() -> None:
    """Measure and print."""
    arguments = argument_parser(__doc__ or "").parse_args()
    bars = Bars("answers kept")
    rows = []
    for name in ("street", "ava80"):
        ontology = load_ontology(name)
        label = cvat_labels(ontology)[0]
        specs = {spec["name"]: number for number, spec in enumerate(label["attributes"], start=1)}
        form = Form(LABEL_ID, specs, ontology)
        known = {
            LABEL_ID: label | {"attributes": [dict(a, id=specs[a["name"]]) for a in label["attributes"]]}
        }
        tracks, clips = tracked_people(1), clip_table()
        truth = invented_truth(clips, tracks, ontology, 1)
        for profile in PROFILES.values():
            counts, keyframes = np.zeros(3, dtype=int), []
            for clip in clips["clip_id"]:
                drawn = prefill_tracks(tracks.filter(pl.col("clip_id") == clip), FRAMES)
                content: dict[str, Any] = filled(
                    {"tags": [], "shapes": [], "tracks": [
                        {**track, "shapes": [{"rotation": 0, **shape} for shape in track["shapes"]]}
                        for track in to_api(drawn, ontology, LABEL_ID, specs)]}, known)  # fmt: skip
                keyframes += [len(track["shapes"]) for track in content["tracks"]]
                view = perceive(truth, clip, ontology, profile, profile.name, 1)
                edits = edit_tracks(content["tracks"], view, profile, form, FRAMES, (1, profile.name, clip))
                read = shapes_from_api({"tracks": edits.update}, {number: n for n, number in specs.items()})
                by_track: dict[int, list[Shape]] = {}
                for shape in read:
                    by_track.setdefault(shape["track_id"], []).append(shape)
                for track in by_track.values():
                    counts += compare(track, clip, view, ontology)
            given, before, after = (int(count) for count in counts)
            rows.append([name, profile.name, float(np.mean(keyframes)), given, before / given, after / given])
            bars.bar(
                f"{name}, {profile.name}: kept", after / given, LEAST_KEPT, holds=after / given >= LEAST_KEPT
            )
            bars.figure(f"{name}, {profile.name}", {"given": given, "literally": before, "kept": after})
    table(["ontology", "annotator", "keyframes a track", "answers", "kept literally", "kept"], rows)
    bars.finish(arguments.json)


if __name__ == "__main__":
    main()
