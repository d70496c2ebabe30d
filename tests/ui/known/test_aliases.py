"""Without names nothing in what the player gets tells whose an answer is."""

from __future__ import annotations

import json

from ava_ui.known.aliases import aliases, without_names
from ava_ui.known.player import review_document
from tests.support.site import Site
from tests.support.street import BATCH

CREW = ("good0", "good1", "good2")


def test_numbers_differ_from_clip_to_clip_and_last() -> None:
    orders = {tuple(aliases(f"clip_{number}", CREW).items()) for number in range(30)}
    assert len(orders) > 1
    assert aliases("clip_0", CREW) == aliases("clip_0", reversed(CREW))
    assert set(aliases("clip_0", CREW).values()) == {"annotator 1", "annotator 2", "annotator 3"}


async def test_no_name_and_no_job_is_left_and_all_else_stays(site: Site) -> None:
    document = review_document(site.console, BATCH, "clip_0000")
    assert all(name in json.dumps(document) for name in CREW)
    hidden = without_names(document)
    assert [name for name in CREW if name in json.dumps(hidden)] == []
    assert {layer["link"] for layer in hidden["layers"]} == {""}
    assert {layer.get("in_cvat", "") for layer in hidden["layers"]} == {""}
    assert [layer["name"] for layer in hidden["layers"]] == [
        "annotator 1", "annotator 2", "annotator 3", "consensus",
    ]  # fmt: skip
    tracks = {json.dumps(layer["tracks"]) for layer in document["layers"]}
    assert {json.dumps(layer["tracks"]) for layer in hidden["layers"]} == tracks
    assert len(hidden["conflicts"]) == len(document["conflicts"])


async def test_adjudication_says_names_only_when_it_is_asked_to(site: Site) -> None:
    rita = site.enter("rita")
    address = f"/quality/{BATCH}/adjudication"
    await rita.open(address)
    await rita.should_see("annotator 1", retries=50)
    await rita.should_see("1 of ")
    for name in CREW:
        await rita.should_not_see(name, retries=1)
    (link,) = rita.find(marker="names").elements
    await rita.open(str(link.props["href"]))
    await rita.should_see("good2", retries=50)
