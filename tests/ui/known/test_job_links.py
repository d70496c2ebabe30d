"""Where a clip is reviewed, each annotator's job opens on this page; over a real CVAT it opens there, too."""

from __future__ import annotations

import pytest

from ava_core.base.settings import Settings
from ava_core.store import tasks
from ava_ui.known.player import review_document
from tests.support.site import Site
from tests.support.street import BATCH


@pytest.mark.parametrize("real", [False, True])
async def test_a_jobs_links_where_it_is_reviewed(
    site: Site, monkeypatch: pytest.MonkeyPatch, real: bool
) -> None:
    console = site.console
    if real:
        monkeypatch.setattr(Settings, "cvat_is_embedded", property(lambda self: False))
        monkeypatch.setattr(Settings, "resolved_cvat_url", property(lambda self: "https://cvat.example.org"))
    layers = {layer["name"]: layer for layer in review_document(console, BATCH, "clip_0000")["layers"]}
    for job in tasks.jobs_of(console.store, BATCH, "clip_0000"):
        there = f"https://cvat.example.org/tasks/{job.task_id}/jobs/{job.job_id}?frame="
        assert layers[job.annotator]["link"] == f"/work/{job.job_id}?frame="
        assert layers[job.annotator]["in_cvat"] == (there if real else "")
