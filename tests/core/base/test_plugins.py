"""What other packages add is found by name, and a broken one is a sentence that names its package."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.annotation.rules import load_rules
from ava_core.base.errors import DetectorError, ExportError, InputError, OntologyError, PluginError
from ava_core.base.plugins import load_plugin, plugin_names
from ava_core.base.set_aside import setting_aside
from ava_core.base.settings import Settings, load_settings
from ava_core.contract.sample import sample_dataset
from ava_core.dataset.formats.flavours import DEFAULT, chosen_flavours, flavour_names, write_dataset
from ava_core.ontology import load_ontology, ontology_names
from ava_core.operations.doctor import Finding, examine
from ava_core.video.detection.registry import detector_names, make_detector, refuse_unknown_detector
from tests.support.plugins import install

DETECTOR = """
from ava_core.video.detection.motion import MotionDetector

def make(settings):
    detector = MotionDetector()
    detector.name = "yard"
    return detector

def torn(settings):
    raise RuntimeError("no weights")
"""

WORDS = """
from pathlib import Path

ONTOLOGY = Path(__file__).with_name("actions.yaml")
RULES = Path(__file__).with_name("rules.yaml")
GONE = Path(__file__).with_name("gone.yaml")
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home", detector="yard", cvat_url="http://127.0.0.1:9")


def about(settings: Settings, subject: str) -> Finding:
    """What the doctor says of one subject."""
    return next(finding for finding in examine(settings) if finding.subject == subject)


def test_a_detector_is_made_by_name_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    install(monkeypatch, tmp_path, "yard-eyes", {"ava.detectors": {"yard": "yard_eyes:make"}}, DETECTOR)
    assert detector_names() == ["motion", "rfdetr", "yard"]
    detector = make_detector(settings)
    assert detector.name == "yard"
    assert make_detector(settings) is detector


def test_a_package_cannot_replace_what_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    install(monkeypatch, tmp_path, "sly-eyes", {"ava.detectors": {"motion": "sly_eyes:make"}}, DETECTOR)
    assert detector_names() == ["motion", "rfdetr"]
    assert make_detector(settings.with_options({"detector": "motion"})).name == "motion"


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("bad_eyes:make", "import nothing_of_this_name", "cannot be loaded: ModuleNotFoundError"),
        ("bad_eyes:other", DETECTOR, "cannot be loaded: AttributeError"),
        ("bad_eyes:make", "make = 3", "cannot be called with the settings"),
        ("bad_eyes:torn", DETECTOR, "cannot start: RuntimeError: no weights"),
        ("bad_eyes:make", "make = str", "makes a str, which is not a Detector"),
    ],
)
def test_a_broken_detector_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, value: str, code: str, said: str
) -> None:
    install(monkeypatch, tmp_path, "bad-eyes", {"ava.detectors": {"yard": value}}, code)
    with pytest.raises(PluginError) as caught:
        make_detector(settings)
    assert said in caught.value.message
    assert f"'yard' in ava.detectors, which bad-eyes adds as {value}" in caught.value.message
    assert "uninstall bad-eyes" in caught.value.cure


def test_a_broken_detector_ends_the_work_instead_of_setting_every_video_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    install(monkeypatch, tmp_path, "bad-eyes", {"ava.detectors": {"yard": "bad_eyes:gone"}}, DETECTOR)
    with pytest.raises(PluginError), setting_aside():
        make_detector(settings)


def test_two_packages_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("one-eye", "two-eyes"):
        place = tmp_path / package
        place.mkdir()
        point = {"ava.detectors": {"yard": f"{package.replace('-', '_')}:make"}}
        install(monkeypatch, place, package, point, DETECTOR)
    with pytest.raises(PluginError, match="one-eye and two-eyes add 'yard'"):
        load_plugin("detectors", "yard")


def test_an_unknown_detector_is_answered_with_those_there_are(settings: Settings) -> None:
    with pytest.raises(DetectorError, match=r"no detector 'yard'. Choose from motion, rfdetr\."):
        make_detector(settings)
    with pytest.raises(DetectorError):
        refuse_unknown_detector("rfdtr")


def test_the_doctor_knows_whether_the_detector_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert about(settings, "detector").found == "There is no detector 'yard'."
    install(monkeypatch, tmp_path, "yard-eyes", {"ava.detectors": {"yard": "yard_eyes:make"}}, DETECTOR)
    assert about(settings, "detector") == Finding("detector", "ok", "yard, which an installed package adds")


def test_the_doctor_lists_what_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert about(settings, "extensions").found == "none: no installed package adds to the platform"
    install(monkeypatch, tmp_path, "yard-eyes", {"ava.detectors": {"yard": "yard_eyes:make"}}, DETECTOR)
    assert about(settings, "extensions") == Finding("extensions", "ok", "yard (detectors)")


def test_the_doctor_says_of_every_broken_one_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    points = {
        "ava.detectors": {"gone": "torn_pieces:gone", "motion": "torn_pieces:GONE"},
        "ava.layouts": {"odd": "torn_pieces:RULES"},
        "ava.ontologies": {"none": "torn_pieces:GONE"},
        "ava.rules": {"bare": "torn_pieces:RULES"},
    }
    (tmp_path / "rules.yaml").write_text("name: bare\nrules: [{id: x}]\n")
    install(monkeypatch, tmp_path, "torn-pieces", points, WORDS)
    found = about(settings, "extensions")
    assert found.status == "warning"
    for fault in (
        "'gone' in ava.detectors, which torn-pieces adds as torn_pieces:gone, cannot be loaded: AttributeError",
        "'motion' in ava.detectors, which torn-pieces adds as torn_pieces:GONE, is never used",
        "'odd' in ava.layouts, which torn-pieces adds as torn_pieces:RULES, is a PosixPath, not a Flavour",
        "'none' in ava.ontologies, which torn-pieces adds as torn_pieces:GONE, is not a readable file",
        "ava.rules: bare: rules.0: Unable to extract tag",
    ):
        assert fault in found.line


def test_the_doctor_survives_a_module_that_ends_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    install(
        monkeypatch, tmp_path, "end-eyes", {"ava.detectors": {"yard": "end_eyes:make"}}, "raise SystemExit(3)"
    )
    assert "cannot be loaded: SystemExit: 3" in about(settings, "extensions").found
    assert about(settings, "detector").status == "failed"


LAYOUT = """
from ava_core.dataset.formats.flavours import Flavour

def write(folder, dataset):
    (folder / "yard").mkdir()
    (folder / "yard" / "rows.txt").write_text(str(dataset.rows.height))

LAYOUT = Flavour(write)
"""


def test_a_layout_is_written_where_it_is_chosen_and_never_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path, "yard-layout", {"ava.layouts": {"yard": "yard_layout:LAYOUT"}}, LAYOUT)
    assert "yard" in flavour_names()
    assert "yard" not in DEFAULT
    write_dataset(tmp_path / "release", sample_dataset(tmp_path / "given"), ["yard"])
    assert (tmp_path / "release/yard/rows.txt").read_text() == "2"


def test_a_layout_that_breaks_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = LAYOUT.replace('(folder / "yard").mkdir()', 'dataset.rows["no such column"]')
    install(monkeypatch, tmp_path, "torn-layout", {"ava.layouts": {"yard": "torn_layout:LAYOUT"}}, code)
    with pytest.raises(
        PluginError, match=r"which torn-layout adds .* cannot be written: ColumnNotFoundError"
    ):
        write_dataset(tmp_path / "release", sample_dataset(tmp_path / "given"), ["yard"])


def test_what_is_no_layout_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        monkeypatch, tmp_path, "odd-layout", {"ava.layouts": {"yard": "odd_layout:LAYOUT"}}, "LAYOUT = {}"
    )
    with pytest.raises(PluginError, match=r"which odd-layout adds .* is a dict, not a Flavour"):
        chosen_flavours(["yard"])
    with pytest.raises(ExportError, match="no flavour 'yolo'"):
        chosen_flavours(["yolo"])


def test_an_ontology_and_its_rules_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = Path(__file__).resolve().parents[3] / "examples"
    for name in ("actions.yaml", "rules.yaml"):
        (tmp_path / name).write_bytes((examples / name).read_bytes())
    points = {
        "ava.ontologies": {"yard_words": "yard_words:ONTOLOGY", "lost_words": "yard_words:GONE"},
        "ava.rules": {"yard_rules": "yard_words:RULES"},
    }
    install(monkeypatch, tmp_path, "yard-words", points, WORDS)
    ontology = load_ontology("yard_words")
    assert ontology.name == "yard"
    assert "yard_words" in ontology_names()
    assert load_rules("yard_rules", ontology).name == "yard"
    assert load_rules("", ontology).name != "yard", "rules of a package hold where they are named"
    with pytest.raises(PluginError, match=r"which yard-words adds .* is not a readable file"):
        load_ontology("lost_words")
    with pytest.raises(OntologyError, match="yard_words"):
        load_ontology("not_there")
    with pytest.raises(InputError, match="or one of: yard_rules"):
        load_rules("not_there", ontology)


def test_a_kind_that_nobody_adds_to_is_empty() -> None:
    assert plugin_names("detectors") == []
    assert load_plugin("rules", "yard") is None
