"""Which files are there, under which names, and for whom one is lacking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.checks.finding import Finding
from ava_core.dataset.formats.ava.files import AvaFiles, is_official
from ava_core.dataset.formats.ava.readers import OWN_NAMES, READERS, Role, opening

LACKING: Final[dict[Role, tuple[str, str, str]]] = {
    "frame list": (
        "the frame list is missing",
        "SlowFast, pytorchvideo and YOWOv2 find no frames",
        "Write one: --fix does",
    ),
    "excluded": (
        "the list of excluded timestamps is missing",
        "YOWOv2 stops, SlowFast cannot evaluate",
        "An empty file does: --fix writes one",
    ),
    "predicted": (
        "the predicted boxes are missing",
        "SlowFast cannot test",
        "Run a person detector on the keyframes, or set AVA.FULL_TEST_ON_VAL and test on the truth",
    ),
    "proposals": (
        "the proposals are missing",
        "mmaction2 cannot load them, and tests on whole pictures without",
        "Run a person detector on the keyframes; set proposal_file=None to train on the truth alone",
    ),
}
"""Of each file of a split: the rule, what follows, the cure."""


def check_presence(files: AvaFiles) -> Iterator[Finding]:
    """Files that are missing where others show that the readers which open them are meant."""
    if files.path("label map") is None:
        yield Finding(
            names.LABEL_MAP,
            0,
            "the label map is missing",
            "The AVA evaluation and YOWOv2 cannot name the classes",
            cure="Put it there: --fix writes it with --ontology",
        )
    for split in files.splits:
        for role in _meant(files):
            if files.path(role, split) is None:
                rule, consequence, cure = LACKING[role]
                name = OWN_NAMES[role].replace("<split>", split)
                yield Finding(name, 0, rule, consequence, cure=cure)


def _meant(files: AvaFiles) -> list[Role]:
    """Roles that the dataset is laid out for: Google's own annotations are whole without any of them."""
    there = {role for role, _ in files.files}
    framed = "frame list" in there or "predicted" in there or (files.root / names.FRAMES).is_dir()
    meant: list[Role] = ["frame list", "excluded", "predicted"] if framed else []
    if "excluded" in there and "excluded" not in meant:
        meant.append("excluded")
    if "proposals" in there or (files.root / names.RAWFRAMES).is_dir():
        meant.append("proposals")
    return meant


def check_names(files: AvaFiles) -> Iterator[Finding]:
    """Files under names that readers' own configurations do not know, and files that were not looked at."""
    for (role, split), path in files.files.items():
        if not is_official(path):
            own = OWN_NAMES[role].replace("<split>", split).rpartition("/")[2]
            told = next(reader.told for reader in READERS if role in (*reader.needs, *reader.may_use))
            yield Finding(
                files.name(path), 0, f"the {role} of {split or 'all splits'} has another name than {own}",
                f"{', '.join(opening(role))} look for it under that name", "warning", f"Rename it, or say so: {told}",
            )  # fmt: skip
    for other, taken in files.others:
        yield Finding(
            files.name(other), 0, f"the file was not looked at, as {files.name(taken)} is of the same kind and split",
            "Readers open the one that they are told", "warning", "Validate it by itself",
        )  # fmt: skip


def verdicts(files: AvaFiles, findings: list[Finding]) -> list[tuple[str, str]]:
    """Of every reader, whether it can load the dataset as it lies."""
    there: set[Role] = {role for role, _ in files.files}
    there |= {role for role in OWN_NAMES if (files.root / role).is_dir()}
    failing = {name for one in findings if one.severity == "error" for name in one.readers}
    said = []
    for reader in READERS:
        lacks = [role for role in reader.needs if role not in there]
        verdict = f"lacks {', '.join(lacks)}" if lacks else "fails" if reader.name in failing else "loads"
        said.append((reader.name, verdict))
    return said
