"""Under faults of every kind a batch ends in exactly the planned tasks: none missing, doubled, or half made."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ava_core.annotation import session
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.session import CvatBusyError, CvatLostError
from ava_core.base.errors import CvatError
from ava_core.store import tasks
from tests.support.annotation_server import serving
from tests.support.annotation_site import PEOPLE, AnnotationSite
from tests.support.faults import KINDS, FaultyServer, faulty

CLIPS = 30


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BACKOFF_SECONDS", 0.02)


class Restartable:
    """An annotation server that can be ended and started again on the same folder."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home, self.stack = home, stack
        self.running = ExitStack()
        stack.callback(lambda: self.running.close())
        self.server = self.running.enter_context(serving(home))

    def restart(self) -> str:
        """End it in the middle of whatever it does, start it again; returns its new address."""
        self.running.close()
        self.running = ExitStack()
        self.server = self.running.enter_context(serving(self.home))
        return self.server.url


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_a_batch_ends_complete_and_exact(seed: int, tmp_path: Path, small_clip: Path) -> None:
    with ExitStack() as stack:
        home = Restartable(tmp_path / "cvat", stack)
        proxy = FaultyServer(home.server.url, 0.12, seed, home.restart, frozenset({150, 400}))
        stack.enter_context(faulty(proxy))
        site = AnnotationSite(
            home.server, tmp_path / "home", small_clip, CLIPS,
            cvat_url=proxy.url, annotators_per_clip=3, overlap=1.0,
        )  # fmt: skip
        stack.callback(site.store.close)
        runs = 0
        while True:  # a run that gives up is started again, as Dagster does
            runs += 1
            try:
                jobs = site.create()
                break
            except CvatError:
                assert runs < 5
        site.server = home.server
        print(f"seed {seed}: {runs} run(s), {proxy.requests} requests, {dict(proxy.met)}")
        assert proxy.met["restart"] == 2
        assert all(proxy.met[kind] for kind in KINDS), "every kind of fault was met"
        _check_exact(site, jobs)
        _check_reading(site, jobs)


def _check_reading(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    """All work is completed, and read back through the same faults: each job once, as it is."""
    own = jobs.filter(pl.col("annotator") != "")["job_id"]
    with site.server.api() as api:
        for job_id in own:
            api.patch(f"/api/jobs/{job_id}", json={"state": "completed"}).raise_for_status()
    for _ in range(5):
        try:
            site.look()
            tables = site.read()
            break
        except CvatError:
            continue
    assert sorted(tables["completed_jobs"]["job_id"]) == sorted(own)
    assert set(tables["completed_jobs"]["version"]) == {1}
    assert tables["raw_boxes"].height == 2 * len(own)
    assert not tables["raw_boxes"]["edited"].any()


def _check_exact(site: AnnotationSite, jobs: pl.DataFrame) -> None:
    assert site.server_tasks() == sorted(f"c{n}" for n in range(CLIPS))
    own = jobs.filter(pl.col("annotator") != "")
    assert own.height == 3 * CLIPS
    assert Counter(own["annotator"]) == dict.fromkeys(PEOPLE, CLIPS)
    assert not own.select("clip_id", "annotator").is_duplicated().any()
    with site.server.api() as api:
        listed = api.get("/api/jobs", params={"page_size": 500}).json()["results"]
        assert sorted(job["id"] for job in listed) == sorted(jobs["job_id"])
        by_id = {job["id"]: job for job in listed}
        for job_id, annotator in own.select("job_id", "annotator").rows():
            assert by_id[job_id]["assignee"]["username"] == annotator
            assert by_id[job_id]["state"] == "new"
            drawn = api.get(f"/api/jobs/{job_id}/annotations").json()["tracks"]
            assert len(drawn) == 1
            assert len(drawn[0]["shapes"]) == 3
    assert {job.job_id for job in tasks.jobs_of(site.store, "b")} == set(jobs["job_id"])


class SetFaults(FaultyServer):
    """Does what was set to the next requests whose method and path fit."""

    wanted: tuple[str, str] = ("", "")
    left: tuple[str, ...] = ()

    def set(self, method: str, path: str, *kinds: str) -> None:
        self.wanted, self.left = (method, path), kinds

    def next_fate(self, method: str, path: str) -> str:
        if not self.left or method != self.wanted[0] or not path.split("?")[0].endswith(self.wanted[1]):
            return ""
        kind, *rest = self.left
        self.left = tuple(rest)
        return kind


@pytest.fixture
def behind(cvat_server: Any, tmp_path: Path, small_clip: Path) -> Any:
    """A platform with two clips whose way to the server is a proxy."""
    with faulty(SetFaults(cvat_server.url, 0.0, 0)) as proxy:
        site = AnnotationSite(cvat_server, tmp_path / "home", small_clip, cvat_url=proxy.url)
        yield site, proxy
        site.store.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auth/login"), ("POST", "/api/projects"), ("POST", "/api/tasks"), ("POST", "/data/"),
        ("GET", "/api/jobs"), ("PUT", "/annotations/"), ("GET", "/api/memberships"),
    ],
)  # fmt: skip
def test_faults_at_each_call_are_mended_in_the_same_run(
    behind: tuple[AnnotationSite, SetFaults], method: str, path: str
) -> None:
    site, proxy = behind
    proxy.set(method, path, "refused", "failed before", "dropped before", "cut off")
    jobs = site.create()
    assert proxy.left == (), "the faults were met"
    assert site.server_tasks() == ["c0", "c1"]
    assert jobs.filter(pl.col("annotator") != "").height == 3
    with site.server.api() as api:
        assert api.get("/api/projects").json()["count"] == 1


def test_a_server_that_keeps_failing_is_one_sentence(behind: tuple[AnnotationSite, SetFaults]) -> None:
    site, proxy = behind
    proxy.set("GET", "/api/memberships", *["failed before"] * 100)
    with (
        CvatGateway(site.settings) as gateway,
        pytest.raises(CvatBusyError, match=r"failed to list memberships \(500\)"),
    ):
        gateway.members()
    assert 100 - len(proxy.left) == session.TRIES


def test_what_makes_something_is_asked_once(
    behind: tuple[AnnotationSite, SetFaults], small_clip: Path
) -> None:
    site, proxy = behind
    site.create()
    proxy.set("POST", "/api/tasks", "dropped after")
    with CvatGateway(site.settings) as gateway:
        project = gateway.project_named(site.settings.cvat_project)
        assert project is not None
        with pytest.raises(CvatLostError):
            gateway.create_task(project["id"], "x", small_clip, replicas=0)
    assert site.server_tasks().count("x") == 1, (
        "made, though the answer was lost: the caller looks before again"
    )


def test_retry_after_is_waited_for(
    behind: tuple[AnnotationSite, SetFaults], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, proxy = behind
    waits: list[float] = []
    monkeypatch.setattr(session.time, "sleep", waits.append)
    proxy.set("GET", "/api/memberships", "refused", "refused")
    with CvatGateway(site.settings) as gateway:
        assert set(gateway.members()) >= set(PEOPLE)
    assert waits == [1.0, 1.0]
