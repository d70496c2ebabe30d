"""Every request that the platform makes is one that the real server documents, and was seen to answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from ava_core.annotation import staffing
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.setup import check, set_up
from ava_core.annotation.sync import look_at_jobs
from ava_core.decisions import reject
from ava_core.store import tasks
from tests.support.annotation_site import AnnotationSite
from tests.support.faults import FaultyServer, faulty
from tests.support.recordings import read_recordings

NOT_RECORDED = {("GET", "/api/projects"), ("GET", "/api/organizations")}
"""Endpoints that only the schema knows; all others were recorded."""


class Listener(FaultyServer):
    """Lets everything pass, and notes it."""

    heard: set[tuple[str, str]]

    def next_fate(self, method: str, path: str) -> str:
        self.heard.add((method, path))
        return ""


@pytest.fixture
def heard(cvat_server: Any, tmp_path: Path, small_clip: Path) -> Iterator[set[tuple[str, str]]]:
    """Method and path of all requests of one clip's life: set-up, tasks, work, reading, top-up, rejection."""
    listener = Listener(cvat_server.url, 0.0, 0)
    listener.heard = set()
    with faulty(listener):
        site = AnnotationSite(
            cvat_server, tmp_path / "home", small_clip, 1,
            cvat_url=listener.url, overlap=1.0, webhook_secret="s3cret",
        )  # fmt: skip
        set_up(site.settings, site.ontology, [], "http://127.0.0.1:9/webhook")
        check(site.settings, site.ontology, [])
        with CvatGateway(site.settings) as gateway:
            gateway.register_annotator("newcomer", "long-enough-word", "newcomer@example.org")
        site.create()
        site.keep_tables()
        job = next(job for job in tasks.jobs_of(site.store, "b") if job.of_annotator)
        with CvatGateway(site.settings) as gateway:
            gateway.set_job(job.job_id, state="completed")
            gateway.remove_task(gateway.create_task(1, "x", small_clip, replicas=0)["id"])
            cursor, _ = look_at_jobs(gateway, site.store)
            look_at_jobs(gateway, site.store, cursor)
        site.read()
        staffing.top_up(site.context, "c0", "admin")
        reject(site.store, "b", ["c0"], "rita", "Look again.")
        staffing.requeue(site.context, "c0", "rita", second=1)
        staffing.requeue(site.context, "c0", "rita", second=1)
        site.store.close()
        yield listener.heard


def shape(path: str) -> str:
    """A path without its numbers and without a slash at its end."""
    plain = urlsplit(path).path.rstrip("/")
    return re.sub(r"/requests/.+", "/requests/N", re.sub(r"/\d+", "/N", plain))


@pytest.fixture(scope="module")
def schema(reference_data: Path) -> dict[str, Any]:
    """CVAT's own description of its API."""
    text = (reference_data / "cvat" / "schema.yml").read_text()
    content: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return content


def test_every_request_was_recorded_from_a_real_server(heard: set[tuple[str, str]]) -> None:
    recorded = {(e.method, shape(e.path)) for e in read_recordings()}
    assert len({(method, shape(path)) for method, path in heard}) > 25
    assert {(method, shape(path)) for method, path in heard} - recorded == NOT_RECORDED


def test_every_request_is_one_of_cvats(heard: set[tuple[str, str]], schema: dict[str, Any]) -> None:
    documented = {
        (method.upper(), re.sub(r"\{\w+\}", "N", path).rstrip("/")): operation
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    for method, path in heard:
        operation = documented.get((method, shape(path)))
        assert operation is not None, f"{method} {path} is not in the schema"
        names = {parameter["name"] for parameter in operation.get("parameters", ())}
        unknown = {name for name, _ in parse_qsl(urlsplit(path).query)} - names - {"org"}
        assert not unknown, f"{method} {path}: CVAT silently ignores {unknown}"


def test_terms_of_filters_and_sorting_are_cvats(heard: set[tuple[str, str]], schema: dict[str, Any]) -> None:
    """Bad sort keys are silently ignored by the server, too."""
    checked = 0
    for method, path in heard:
        query = dict(parse_qsl(urlsplit(path).query))
        for name, label in (("sort", "ordering_fields"), ("filter", "filter_fields")):
            if name not in query:
                continue
            parameters = schema["paths"][urlsplit(path).path.rstrip("/")][method.lower()]["parameters"]
            said = next(p["description"] for p in parameters if p["name"] == name)
            known = re.search(rf"{label}: \[(.*?)\]", " ".join(said.split()))
            assert known is not None, said
            terms = (
                {query[name]} if name == "sort" else {v["var"] for v in _variables(json.loads(query[name]))}
            )
            assert terms <= set(known[1].replace("'", "").split(", ")), (path, terms)
            checked += 1
    assert checked > 5


def _variables(rule: Any) -> Iterator[dict[str, str]]:
    if isinstance(rule, dict) and "var" in rule:
        yield rule
    for part in rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ():
        yield from _variables(part)
