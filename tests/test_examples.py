"""The examples are what the docs say they are: files fit each other, programs run, extensions keep their contract."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import matplotlib
import numpy as np
import polars as pl
import pytest

from ava_core.annotation.rules.load import load_rules
from ava_core.base.errors import InputError
from ava_core.base.settings import load_settings
from ava_core.contract import check_detector, check_layout, check_ontology, check_rules
from ava_core.contract.sample import sample_dataset
from ava_core.dataset import read_rows, validate_dataset
from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.flavours import write_dataset
from ava_core.demo.scenes import render_scenes
from ava_core.ontology import load_ontology
from ava_core.video.detection.registry import make_detector
from tests.support.notebooks import run_notebook
from tests.support.plugins import install

ROOT = Path(__file__).resolve().parent.parent
WORDS = ROOT / "examples"
EXAMPLES = ROOT / "docs" / "examples"


def example(name: str) -> ModuleType:
    """An example as a module; nothing of it runs but what an import runs."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rules_fit_the_ontology() -> None:
    ontology = load_ontology(WORDS / "actions.yaml")
    rules = load_rules(str(WORDS / "rules.yaml"), ontology)
    assert {group.kind for group in ontology.groups} == {"exclusive", "multi"}
    assert {rule.kind for rule in rules.rules} == {"min_area", "exclusive", "max_labels"}


def test_ontology_and_rules_keep_their_contract() -> None:
    check_rules(WORDS / "rules.yaml", check_ontology(WORDS / "actions.yaml"))


def test_the_detector_keeps_its_contract_and_its_fence() -> None:
    own = example("own_detector")
    check_detector(own.make)
    own_eyes, all_eyes = own.YardDetector(fence=0.9), own.YardDetector(fence=0.0)
    wall = np.full((120, 160), 100, np.uint8)
    walker = wall.copy()
    walker[30:90, 60:80] = 230
    for detector in (own_eyes, all_eyes):
        detector.start_video([wall] * detector.warm_up_frames)
    assert (len(own_eyes.detect([walker])[0]), len(all_eyes.detect([walker])[0])) == (0, 1)


def test_the_detector_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (EXAMPLES / "own_detector.py").read_text("utf-8")
    assert 'yard = "own_detector:make"' in code
    install(monkeypatch, tmp_path, "own-detector", {"ava.detectors": {"yard": "own_detector:make"}}, code)
    assert make_detector(load_settings(home=tmp_path, detector="yard")).name == "yard"


def test_the_layout_keeps_its_contract_and_is_written_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_layout("jsonl", example("own_layout").LAYOUT)
    code = (EXAMPLES / "own_layout.py").read_text("utf-8")
    assert 'jsonl = "own_layout:LAYOUT"' in code
    install(monkeypatch, tmp_path, "own-layout", {"ava.layouts": {"jsonl": "own_layout:LAYOUT"}}, code)
    write_dataset(tmp_path / "set", sample_dataset(tmp_path / "given"), ["jsonl"])
    (line,) = (tmp_path / "set" / "jsonl" / "train.jsonl").read_text("utf-8").splitlines()
    said = json.loads(line)
    assert (said["clip"], said["second"], said["person"], said["actions"]) == (
        "gate_000",
        902,
        1,
        ["normal_walk"],
    )


CSV = "clip,second,who,person,left,top,width,height,action\n" + "".join(
    f"gate_000,{second},{who},1,410,220,60,150,{action}\n"
    for second in range(2, 6)
    for who, action in (("anna", "walk"), ("ben", "walk"), ("cleo", "stand"))
)


def test_the_reader_brings_people_to_a_consensus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, labels = example("own_reader"), tmp_path / "labels.csv"
    labels.write_text(CSV + "gate_000,3,anna,1,410,220,60,150,swim\n")
    ontology = load_ontology(WORDS / "actions.yaml")
    imported = own.read(labels, ontology)
    assert imported.dataset.rows["action_id"].unique().to_list() == [1]
    assert [(one.defect, one.rows) for one in imported.repairs] == [
        ("actions that yard has not, such as 'swim'", 1)
    ]
    folder = tmp_path / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys, "argv", ["own_reader", str(labels), str(folder), "--ontology", str(WORDS / "actions.yaml")]
        )
        own.main()
    assert capsys.readouterr().out.strip() == str(folder)
    assert read_rows(folder).height == 4
    wrong = {finding.file for finding in validate_dataset(folder) if finding.severity == "error"}
    assert wrong == {"frames"}, "it has no pictures, and lacks nothing else"


def test_the_reader_refuses_a_file_that_is_none_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"labels\.csv.*Its columns are clip, second"):
        example("own_reader").read(tmp_path / "labels.csv", load_ontology("street"))


@pytest.mark.slow
@pytest.mark.nightly
def test_the_whole_flow_by_python_and_the_notebook_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render_scenes(tmp_path, scenes=1, seconds=7.0, size=(320, 180))
    zipped, home = tmp_path / "yard.zip", tmp_path / "home"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(tmp_path / "scene_1.mp4", "scene_1.mp4")
    program = [sys.executable, EXAMPLES / "whole_flow.py", zipped, "--home", home]
    said = subprocess.run(program, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    release = home / "storage" / "releases" / "first"
    assert said.splitlines()[-1] == f"{release}: 0 findings"
    assert (release / names.CARD).is_file()

    matplotlib.use("agg")
    monkeypatch.setenv("AVA_HOME", str(home))
    monkeypatch.setenv("AVA_ONTOLOGY", str(WORDS / "actions.yaml"))
    left = run_notebook(EXAMPLES / "agreement.ipynb")
    assert isinstance(left["per_class"], pl.DataFrame)
    assert left["per_class"].height
    assert [len(axes.images) for axes in left["places"]] == [1, 1, 1]
    assert sum(len(axes.patches) for axes in left["places"]) >= 3
