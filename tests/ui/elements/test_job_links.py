"""A job opens here; over a real CVAT it opens there, too."""

from __future__ import annotations

import polars as pl

from ava_core.annotation.pages import job_page
from ava_core.base.settings import load_settings
from ava_ui.elements.job_links import job_labels, job_links, with_cvat

JOBS = pl.DataFrame({"job_id": [7], "task_id": [3]})


def test_on_the_embedded_server_a_job_opens_on_the_consoles_own_page() -> None:
    settings = load_settings(console_port=8600)
    assert job_page(settings, 3, 7) == "http://127.0.0.1:8600/work/7"
    assert job_links(settings) == {"job_id": "/work/{job_id}"}
    assert with_cvat(settings, JOBS).columns == ["job_id", "task_id"]
    assert job_labels(settings, {"job_id": "job"}) == {"job_id": "job"}


def test_over_a_real_cvat_both_are_offered() -> None:
    settings = load_settings(cvat_url="https://cvat.example.org/")
    there = "https://cvat.example.org/tasks/3/jobs/7"
    assert job_page(settings, 3, 7) == there
    links, (row,) = job_links(settings), with_cvat(settings, JOBS).rows(named=True)
    assert {name: links[name].format(**row) for name in links} == {"job_id": "/work/7", "in_cvat": there}
    assert set(job_labels(settings, {"job_id": "job"})) == {"job_id", "in_cvat"}
    assert row["in_cvat"]
