"""A demonstration has a state of its own, whatever the variables of a running platform say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from upath import UPath

from ava_assets.running import release
from ava_assets.running.demonstration import demonstration_settings
from ava_assets.running.instance import dagster_yaml

RUNNING = {
    "AVA_DATABASE_URL": "postgresql://running/ava", "AVA_STORAGE_URL": "s3://running",
    "AVA_DAGSTER_POSTGRES_URL": "postgresql://running/dagster", "AVA_INBOX": "/running/inbox",
    "AVA_CVAT_URL": "https://running.example",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _running(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RUNNING.items():
        monkeypatch.setenv(name, value)


def test_it_names_nothing_of_a_running_platform(tmp_path: Path) -> None:
    settings = demonstration_settings(tmp_path / "demo", seed=0)
    own = [settings.resolved_database_url, settings.resolved_storage_url, str(settings.inbox_dir)]
    assert all(str(tmp_path / "demo") in one for one in own)
    assert settings.cvat_is_embedded
    assert "storage" not in dagster_yaml(settings)
    passed_on = settings.environment()
    assert not set(RUNNING.values()) & set(passed_on.values())
    assert {passed_on[name] for name in RUNNING} == {""}, (
        "said to be unset, so that no variable of the parent holds"
    )


def test_its_release_is_made_from_its_own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def materialised(assets: Any, *, resources: Any, **_: Any) -> Any:
        seen["settings"] = resources["platform"].settings
        event = SimpleNamespace(metadata={"folder": SimpleNamespace(value="/somewhere")})
        return SimpleNamespace(asset_materializations_for_node=lambda _: [event])

    monkeypatch.setattr(release, "materialize", materialised)
    settings = demonstration_settings(tmp_path / "demo", seed=0)
    assert release.make_release(settings) == UPath("/somewhere")
    assert seen["settings"].resolved_database_url == settings.resolved_database_url
    assert seen["settings"].resolved_storage_url == settings.resolved_storage_url
