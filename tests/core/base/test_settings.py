"""Settings: defaults that work alone, errors that name the variable, copies for batches and children."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.base.errors import SettingsError
from ava_core.base.settings import Settings, load_settings, variable_of, with_driver


def test_defaults_lie_under_the_home(tmp_path):
    settings = load_settings(home=tmp_path)
    assert settings.resolved_storage_url == str(tmp_path / "storage")
    assert settings.resolved_database_url == f"sqlite:///{tmp_path}/ava.db"
    assert settings.inbox_dir == tmp_path / "inbox"
    assert settings.cvat_is_embedded


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("AVA_CLIP_SECONDS", "20")
    assert load_settings().clip_seconds == 20


def test_a_wrong_value_names_the_variable(monkeypatch):
    monkeypatch.setenv("AVA_OVERLAP", "1.5")
    with pytest.raises(SettingsError, match=r"AVA_OVERLAP.*1\.5"):
        load_settings()


def test_a_batch_has_options_of_its_own(tmp_path):
    settings = load_settings(home=tmp_path, seed=3).with_options({"ontology": "ava80"})
    assert (settings.ontology, settings.seed, settings.home) == ("ava80", 3, tmp_path)


def test_an_unknown_option_is_refused():
    with pytest.raises(SettingsError, match="colour"):
        load_settings().with_options({"colour": "red"})


def test_a_child_process_gets_the_same_settings(tmp_path, monkeypatch):
    parent = load_settings(home=tmp_path, cvat_password="s3cret", detect_fps=2.5, seed=9)
    for name, value in parent.environment().items():
        monkeypatch.setenv(name, value)
    child = load_settings()
    assert child == parent


def test_secrets_are_not_shown():
    settings = load_settings(cvat_token="t0ken", webhook_secret="hush")
    assert "t0ken" not in repr(settings)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize("url", ["postgresql://u:p@h/d", "postgres://u:p@h/d"])
def test_postgres_urls_name_their_driver(url):
    assert with_driver(url) == "postgresql+psycopg2://u:p@h/d"
    assert Settings(database_url=url).resolved_database_url == with_driver(url)


def test_an_empty_variable_leaves_an_optional_setting_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AVA_CVAT_TOKEN", "AVA_INBOX", "AVA_DETECT_FPS"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.cvat_token, settings.inbox, settings.detect_fps) == (None, None, None)


def test_a_child_process_cannot_set_again_what_was_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A demonstration beside a `.env` that names a real CVAT must not touch it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("AVA_CVAT_URL=https://cvat.example.org\nAVA_CVAT_TOKEN=t\n")
    parent = load_settings(cvat_url="", cvat_token=None)
    for name, value in parent.environment().items():
        monkeypatch.setenv(name, value)
    child = load_settings()
    assert child.cvat_is_embedded
    assert child.cvat_token is None


def test_the_example_lists_every_setting() -> None:
    example = (Path(__file__).resolve().parents[3] / ".env.example").read_text()
    named = {line.removeprefix("# ").partition("=")[0] for line in example.splitlines() if "=" in line}
    own = {name for name in named if name.startswith(("AVA_", "RF_HOME"))}
    assert own == {variable_of(name) for name in Settings.model_fields}
