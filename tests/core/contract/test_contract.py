"""The platform's own detectors, layouts, ontologies and rules keep to the contract, and what breaks it is named."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ava_core.base.errors import OntologyError
from ava_core.contract import BrokenContractError, check_detector, check_layout, check_ontology, check_rules
from ava_core.contract.detector import walk
from ava_core.dataset.formats.dataset import Dataset
from ava_core.dataset.formats.flavours import FLAVOURS, Flavour
from ava_core.ontology import load_ontology, shipped_ontologies
from ava_core.video.detection.motion import MotionDetector

RULES = resources.files("ava_core.annotation.rules")


def test_the_motion_detector_keeps_to_the_contract() -> None:
    check_detector(lambda settings: MotionDetector())
    frames = walk((120, 160), "luma", 58)
    detector = MotionDetector()
    detector.start_video(frames[:50])
    assert any(len(boxes) for boxes in detector.detect(frames)), "the contract looks at boxes"


@pytest.mark.parametrize("name", FLAVOURS)
def test_layouts_keep_to_the_contract(name: str) -> None:
    check_layout(name, FLAVOURS[name])


@pytest.mark.parametrize("name", shipped_ontologies())
def test_ontologies_and_their_rules_keep_to_the_contract(name: str) -> None:
    ontology = check_ontology(resources.files("ava_core.ontology") / f"{name}.yaml")
    own = RULES / f"{name}.yaml"
    check_rules(own if own.is_file() else RULES / "standard.yaml", ontology)


class Whole:
    """Finds one box in the middle of every picture."""

    name, version, pixel_format, batch_size, warm_up_frames = "whole", "1", "rgb24", 3, 0
    box = (10.0, 10.0, 20.0, 40.0, 0.5)

    def __init__(self) -> None:
        self.parameters: dict[str, Any] = {}

    def start_video(self, first_frames: Any) -> None:
        pass

    def detect(self, frames: Any) -> Any:
        return [np.array([self.box]) for _ in frames]


class Remembers(Whole):
    seen = 0

    def detect(self, frames: Any) -> Any:
        self.seen += len(frames)
        return [np.array([self.box])[: int(self.seen <= 16)] for _ in frames]


class Draws(Whole):
    def detect(self, frames: Any) -> Any:
        for frame in frames:
            frame[:4] = 0
        return super().detect(frames)


class CountsItself(Whole):
    def detect(self, frames: Any) -> Any:
        self.parameters["calls"] = self.parameters.get("calls", 0) + 1
        return super().detect(frames)


def changed(**fields: Any) -> Callable[[], Any]:
    return type("Changed", (Whole,), fields)


def test_a_detector_that_keeps_to_it_passes() -> None:
    check_detector(lambda settings: Whole())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (changed(version=""), "version must be text"),
        (changed(pixel_format="bgr24"), "must be rgb24 or luma"),
        (changed(batch_size=0), "batch_size must be a whole number from 1"),
        (changed(detect=lambda self, frames: []), "one array for each"),
        (changed(detect=lambda self, frames: [np.empty(0) for _ in frames]), r"shape \(N, 5\)"),
        (changed(box=(10, 10, 10, 40, 0.5)), "a box is empty"),
        (changed(box=(10, 10, 200, 40, 0.5)), "leaves the picture of 160 × 120"),
        (changed(box=(10, 10, 20, 40, 50.0)), "outside \\[0, 1\\]"),
        (changed(box=(10, 10, 20, float("nan"), 0.5)), "not finite"),
        (Remembers, "start_video must forget"),
        (Draws, "work on a copy"),
        (CountsItself, "parameters changed"),
    ],
)
def test_a_detector_that_breaks_it_is_told_how(kind: Callable[[], Any], said: str) -> None:
    with pytest.raises(BrokenContractError, match=said):
        check_detector(lambda settings: kind())


def beside(folder: Path, dataset: Dataset) -> None:
    (folder / "labels.txt").write_text("1")


def at_random(folder: Path, dataset: Dataset) -> None:
    (folder / "yard").mkdir()
    (folder / "yard" / "made.txt").write_text(str(folder))


def spoils(folder: Path, dataset: Dataset) -> None:
    next(iter(dataset.pictures.values())).joinpath("new.txt").write_text("1")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (beside, "writes labels.txt; all files must be in the folder yard/"),
        (at_random, "yard/made.txt differs"),
        (spoils, "changed pictures"),
        (lambda folder, dataset: None, "wrote no file"),
    ],
)
def test_a_layout_that_breaks_it_is_told_how(write: Callable[[Path, Dataset], None], said: str) -> None:
    with pytest.raises(BrokenContractError, match=said):
        check_layout("yard", Flavour(write, pictures="all"))


@pytest.mark.parametrize(
    ("name", "said"), [("../yard", "cannot name a folder"), ("plots", "plots/ is a folder of every release")]
)
def test_a_layout_that_would_write_elsewhere_is_told_so(name: str, said: str) -> None:
    with pytest.raises(BrokenContractError, match=said):
        check_layout(name, Flavour(beside))


ONTOLOGY = "name: yard\nversion: {}\ngroups:\n  - {{name: pose, kind: exclusive, actions: [{}]}}\n"


def test_words_that_break_it_are_told_how(tmp_path: Path) -> None:
    old, new, rules = tmp_path / "old.yaml", tmp_path / "new.yaml", tmp_path / "rules.yaml"
    old.write_text(ONTOLOGY.format(1, "{id: 1, name: stand}"))
    new.write_text(ONTOLOGY.format(2, "{id: 1, name: run, description: Runs.}"))
    with pytest.raises(BrokenContractError, match="'stand' has no description"):
        check_ontology(old)
    with pytest.raises(OntologyError, match="id 1 was 'stand'"):
        check_ontology(new, before=old)
    rules.write_text("name: r\nrules:\n  - {id: tiny, kind: min_area, severity: flag, least_px: 9}\n")
    with pytest.raises(BrokenContractError, match="rule tiny tells the annotator nothing"):
        check_rules(rules, load_ontology("street"))
    with pytest.raises(BrokenContractError, match="not a readable text file"):
        check_rules(tmp_path / "none.yaml", load_ontology("street"))
