"""The wheel works outside the checkout: everything that the packages need lies in it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from ava_core import __version__
from tests.support.videos import write_video

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("ava_core", "ava_assets", "ava_ui")

pytestmark = [pytest.mark.slow, pytest.mark.nightly]


def run(*words: object, cwd: Path, **environment: str) -> str:
    """What a program prints, in a folder and an environment that know nothing of the checkout."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AVA_"))}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that AVA_WHEEL names, else one of the files as they are; what git does not know stays out."""
    if given := os.environ.get("AVA_WHEEL"):
        return Path(given)
    sources, out = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    listed = run(
        "git",
        "ls-files",
        "-co",
        "--exclude-standard",
        *PRODUCT,
        "pyproject.toml",
        "README.md",
        "LICENSE",
        cwd=ROOT,
    )
    for name in filter(lambda name: (ROOT / name).is_file(), listed.splitlines()):
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).write_bytes((ROOT / name).read_bytes())
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        out,
        sources,
        cwd=out,
    )
    return next(out.glob("*.whl"))


def others_package(folder: Path) -> Path:
    """A package as somebody else writes it: the example of a detector, found by its entry point."""
    folder.mkdir()
    (folder / "own_detector.py").write_bytes((ROOT / "docs" / "examples" / "own_detector.py").read_bytes())
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "yard"\nversion = "1"\n'
        '[project.entry-points."ava.detectors"]\nyard = "own_detector:make"\n'
        '[tool.setuptools]\npy-modules = ["own_detector"]\n'
    )
    return folder


def test_every_file_of_the_packages_lies_in_the_wheel(wheel: Path) -> None:
    listed = run("git", "ls-files", *PRODUCT, cwd=ROOT).splitlines()
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert [name for name in listed if name not in inside and (ROOT / name).is_file()] == []
    assert wheel.name.startswith(f"ava_platform-{__version__}-")


def test_the_commands_work_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment that borrows the installed libraries, and nothing of this project.

    A release tries the whole demonstration; at night a batch is cut, tracked by the detector of
    another package, and put into a new database.
    """
    venv.create(tmp_path / "env", with_pip=False)
    own = next((tmp_path / "env").glob("lib/python*/site-packages"))
    pip = (sys.executable, "-m", "pip", "--python", tmp_path / "env")
    run(*pip, "install", "-q", "--no-deps", wheel, cwd=tmp_path)
    (libraries,) = {path for path in sys.path if path.endswith("site-packages")}
    (own / "libraries.pth").write_text(libraries + "\n")
    here = tmp_path / "elsewhere"
    here.mkdir()
    python = tmp_path / "env" / "bin" / "python"
    where = run(python, "-c", "import ava_core, ava_ui, ava_assets; print(ava_core.__file__)", cwd=here)
    assert where.startswith(str(own))

    def ava(*words: str) -> list[str]:
        home = {"HOME": str(tmp_path), "AVA_HOME": str(tmp_path / "home")}
        return run(python.with_name("ava"), *words, cwd=here, **home).splitlines()

    assert ava("--version") == [f"ava-platform {__version__}"]
    if "AVA_WHEEL" in os.environ:
        dataset = Path(ava("demo")[-1].removeprefix("dataset: "))
        assert (dataset / "annotations" / "ava_train_v2.2.csv").is_file()
        return
    run(
        *pip,
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        others_package(tmp_path / "yard"),
        cwd=here,
    )
    write_video(here / "gate.mp4", seconds=6.0)
    said = ava("preprocess", "gate.mp4", "--out", "gate", "--option", "detector=yard")
    assert "1 source videos" in "".join(said)
    ava("batch", "add", "gate")
    assert any(line.startswith("gate") for line in ava("batch", "list"))
