"""Commands on datasets: `ava validate`, `ava trace`, `ava import`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ava_assets.cli.shared import Actor, who
from ava_core.base.errors import InputError
from ava_core.base.settings import load_settings
from ava_core.base.text import plural, value_text

OFFSET_HELP = "Added to timestamps that do not count from 900. Default: 900, which makes 0 the clip's start."
INDEX_FPS_HELP = "Frame numbers per second, for timestamps that are frame numbers. Default: inferred."
SIZE_HELP = (
    "Picture size, for boxes in pixels. Default: the size of the pictures, or 1280x720 for the older csv."
)

if TYPE_CHECKING:
    from ava_core.dataset.formats.repairs import Repair
    from ava_core.dataset.importing.imported import Imported


def validate(
    folder: Annotated[Path, typer.Argument(help="Folder of any AVA dataset, or one of its files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    fix: Annotated[
        Path | None, typer.Option(help="Write the repaired dataset to this new folder.", metavar="OUT")
    ] = None,
    ontology: Annotated[
        str, typer.Option(help="With --fix: ontology name or file, if the dataset has no label map.")
    ] = "",
    offset: Annotated[int | None, typer.Option(help=OFFSET_HELP)] = None,
    index_fps: Annotated[float | None, typer.Option(help=INDEX_FPS_HELP)] = None,
    size: Annotated[str, typer.Option(help=SIZE_HELP)] = "",
) -> None:
    """Check an AVA dataset against all that its readers enforce; exit code 1 where there are errors.

    Files are found whatever they are called. Every finding names the reader that would fail, and the cure.
    """
    from ava_core.dataset.formats.ava.checks import errors_among, validate_dataset
    from ava_core.dataset.formats.ava.checks.present import verdicts
    from ava_core.dataset.formats.ava.files import find_files

    findings = validate_dataset(folder)
    console = Console(highlight=False, soft_wrap=True)
    if as_json:
        print(json.dumps([asdict(each) | {"readers": each.readers} for each in findings], indent=2))
    else:
        for finding in findings:
            console.print(str(finding), markup=False)
        if folder.is_dir():
            for reader, verdict in verdicts(find_files(folder), findings):
                console.print(f"  {reader:<30}{verdict}", markup=False)
        console.print(
            f"{plural(len(findings), 'finding')} in {folder}" if findings else f"No findings in {folder}."
        )
    if fix is not None:
        mended = _from_ava(folder, ontology, offset, index_fps, size)
        _say_repairs(mended.repairs, console)
        _write_taken_over(fix, mended, console)
        return
    if errors_among(findings):
        sys.exit(1)


def trace(
    release: Annotated[str, typer.Argument(help="Name of a release, or its folder.")],
    row: Annotated[str, typer.Argument(help="train:12 (line 12 of the split's csv), or the line itself.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the lineage as JSON.")] = False,
) -> None:
    """Show where a row of a release comes from: votes, annotators, jobs, clip, source file, frame."""
    from ava_assets.cli.dataset.release import opened_release
    from ava_core.dataset.export.lineage import trace as trace_row

    with opened_release(release) as folder:
        found = trace_row(folder, row)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    ratings = found.pop("ratings") or []
    width = max(map(len, found))
    for name, value in found.items():
        console.print(f"{name:<{width}}  {value_text(value)}", markup=False)
    for rating in ratings:
        said = ", ".join(map(str, rating["action_ids"])) or "none of the group"
        counted = "" if rating["counted"] else ", excluded"
        edited = {True: "box edited", False: "box untouched", None: "no box"}[rating["edited"]]
        console.print(
            f"  {rating['annotator']} said {said} ({edited}; task {rating['task_id']}, job {rating['job_id']}, "
            f"reading {rating['version']}, track {rating['track_key']}{counted})",
            markup=False,
        )


def import_dataset(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="An AVA dataset's folder or csv, an older AVA_dataset.csv, or CVAT XML 1.1 (.xml, .zip)."
        ),
    ],
    to: Annotated[Path | None, typer.Option(help="New folder for the dataset.")] = None,
    batch: Annotated[
        str,
        typer.Option(help="Name of a new batch: the dataset joins releases, and can be annotated further."),
    ] = "",
    media: Annotated[
        Path | None,
        typer.Option(
            help="With --batch: folder of pictures or videos, named by the dataset's ids. Default: its own."
        ),
    ] = None,
    ontology: Annotated[
        str,
        typer.Option(
            help="Name or file of the ontology. Default: the setting's; of a folder, its label map."
        ),
    ] = "",
    index_fps: Annotated[
        float | None,
        typer.Option(
            help="Frame numbers per second. Default: 1 for the older csv and CVAT's pictures, 30 for its "
            "videos."
        ),
    ] = None,
    offset: Annotated[int | None, typer.Option(help=OFFSET_HELP)] = None,
    size: Annotated[str, typer.Option(help=SIZE_HELP)] = "",
    label: Annotated[str, typer.Option(help="Label for people in CVAT's XML. Default: person.")] = "",
    clip_from: Annotated[
        str, typer.Option(help="file or folder: which of the two names the clip in CVAT's job exports.")
    ] = "",
    by: Annotated[
        list[str] | None,
        typer.Option(help="FILE=NAME: the annotator of one of CVAT's files; may be repeated."),
    ] = None,
    actor: Actor = "",
) -> None:
    """Take existing work over as a dataset, as a batch, or as both; every defect that was repaired is listed.

    Example: `ava import older.csv --batch older --ontology ava80 --size 1280x720`
    """
    if to is None and not batch:
        raise InputError(
            "The command needs a destination for the dataset.",
            "Name a folder with --to, or a new batch with --batch.",
        )
    console = Console(highlight=False, soft_wrap=True)
    cvat = _FromCvat(label, clip_from, tuple(by or ()))
    if batch and not ontology:
        ontology = load_settings().ontology
    imported = _imported(sources, ontology, offset, index_fps, size, cvat)
    _say_repairs(imported.repairs, console)
    _say_agreement(imported, console)
    if to is not None:
        _write_taken_over(to, imported, console)
    if batch:
        _write_batch(batch, imported, sources[0], media, ontology, who(actor), console)


def _write_batch(
    name: str,
    imported: Imported,
    place: Path,
    media: Path | None,
    ontology: str,
    actor: str,
    console: Console,
) -> None:
    from ava_core.dataset.importing.batch import import_batch
    from ava_core.store import open_store

    settings = load_settings()
    made = import_batch(
        settings, open_store(settings), name, imported, place, actor, ontology=ontology, media=media
    )
    _say_repairs(made.repairs, console)
    console.print(
        f"batch: {name}, {made.clips} clips ({made.with_pictures} with pictures), approved. "
        f"`ava release make` takes it in; `ava assign top-up {name} CLIP` gives a clip to an annotator.",
        markup=False,
    )


def _write_taken_over(to: Path, imported: Imported, console: Console) -> None:
    """Write the dataset."""
    from ava_core.dataset.importing.imported import write_import

    console.print(f"dataset: {write_import(to, imported)}", markup=False)


def _say_repairs(repairs: Sequence[Repair], console: Console) -> None:
    for repair in repairs:
        where = f", line {repair.line} first" if repair.line else f": {repair.place}" if repair.place else ""
        console.print(f"{repair.defect}: {repair.repair} ({repair.rows} rows{where})", markup=False)


def _say_agreement(imported: Imported, console: Console) -> None:
    if imported.agreement:
        overall = {row["statistic"]: row for row in imported.agreement["overall"].to_dicts()}
        alpha = overall["pooled_alpha"]
        value = alpha["reason"] if alpha["value"] is None else f"{alpha['value']:.3f}"
        console.print(f"agreement of annotators, pooled alpha: {value}", markup=False)


@dataclass(frozen=True)
class _FromCvat:
    """What a person says about CVAT's files."""

    label: str
    clip_from: str
    by: tuple[str, ...]

    def annotators(self, sources: list[Path]) -> dict[Path, str]:
        """Who made which file. Raises `InputError` for a file that is not imported."""
        said = {}
        for text in self.by:
            file, _, name = text.rpartition("=")
            if Path(file) not in sources or not name:
                raise InputError(f"--by {text!r} is not FILE=NAME.", "Name one of the given files.")
            said[Path(file)] = name
        return said


def _imported(
    sources: list[Path],
    ontology: str,
    offset: int | None,
    index_fps: float | None,
    size: str,
    cvat: _FromCvat,
) -> Imported:
    """Import by what the sources are."""
    from ava_core.dataset.formats.older_csv.reader import is_older_csv
    from ava_core.dataset.importing.cvat_xml import import_cvat_xml
    from ava_core.dataset.importing.older_csv import import_older_csv
    from ava_core.ontology import load_ontology

    for source in sources:
        if not source.exists():
            raise InputError(f"{source} does not exist.")
    kinds = {"folder" if source.is_dir() else source.suffix.lower() for source in sources}
    single = sources[0] if len(sources) == 1 else None
    if single and (single.is_dir() or (kinds == {".csv"} and not is_older_csv(single))):
        return _from_ava(
            single, ontology or ("" if single.is_dir() else load_settings().ontology), offset, index_fps, size
        )
    words = load_ontology(ontology or load_settings().ontology)
    if kinds == {".csv"} and len(sources) == 1:
        rate = 1.0 if index_fps is None else index_fps
        return import_older_csv(sources[0], words, index_fps=rate, size=_size(size or "1280x720"))
    if kinds <= {".xml", ".zip"}:
        if cvat.clip_from not in ("", "file", "folder"):
            raise InputError(f"--clip-from {cvat.clip_from!r} is unknown.", "Use file or folder.")
        return import_cvat_xml(
            sources,
            words,
            index_fps=index_fps,
            annotators=cvat.annotators(sources),
            label=cvat.label,
            clip_from=cvat.clip_from,  # type: ignore[arg-type]
        )
    raise InputError(
        "These sources cannot be imported together.", "Give one folder, one csv, or CVAT's files."
    )


def _from_ava(place: Path, ontology: str, offset: int | None, index_fps: float | None, size: str) -> Imported:
    """An AVA dataset's folder or csv, with what a person says of it."""
    from ava_core.dataset.importing.ava import import_ava
    from ava_core.dataset.importing.ava_rows import Clock
    from ava_core.ontology import load_ontology

    if index_fps is not None and not index_fps > 0:
        raise InputError(f"--index-fps {index_fps:g} is not a rate.", "Use 30.")
    return import_ava(
        place,
        load_ontology(ontology) if ontology else None,
        clock=Clock(offset, index_fps),
        size=_size(size) if size else None,
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise InputError(f"--size {text!r} is not WIDTHxHEIGHT.", "Use 1280x720.")
    return int(width), int(height)
