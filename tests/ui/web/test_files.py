"""Clips by range, documents of the player, downloads."""

from __future__ import annotations

import io
import zipfile

import pytest

from ava_core import decisions
from ava_ui.known import drafts
from tests.support.site import Site
from tests.support.street import BATCH, SECONDS

CLIP = f"/media/clip/{BATCH}/clip_0000"


async def test_a_clip_is_served_by_range(site: Site) -> None:
    http = site.enter("vera").http_client
    whole = await http.get(CLIP)
    part = await http.get(CLIP, headers={"Range": "bytes=100-199"})
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert (part.status_code, part.content) == (206, whole.content[100:200])


@pytest.mark.parametrize(
    "path",
    [
        f"/media/clip/{BATCH}/nope", "/media/clip/nope/clip_0000", "/media/clip/..%2f..%2fx/clip_0000",
        f"/media/keyframe/{BATCH}/..%2f..%2fx/1", f"/media/keyframe/{BATCH}/clip_0000/99",
        "/download/nope.zip", "/download/..%2fx.zip",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    assert (await site.enter("vera").http_client.get(path)).status_code == 404


async def test_a_review_shows_everybody_and_the_consensus(site: Site) -> None:
    document = (await site.enter("vera").http_client.get(f"/media/review/{BATCH}/clip_0000")).json()
    assert [layer["name"] for layer in document["layers"]] == ["good0", "good1", "good2", "consensus"]
    assert document["clip"]["frames"] == SECONDS * 30
    actions = set(map(int, document["actions"]))
    for layer in document["layers"]:
        assert layer["tracks"], layer["name"]
        for track in layer["tracks"]:
            frames = [box[0] for box in track["boxes"]]
            assert frames == sorted(set(frames))
            said = [
                a
                for by_group in track["labels"].values()
                for answer in by_group.values()
                for a in answer["actions"]
            ]
            assert set(said) <= actions
    people = {track["person"] for layer in document["layers"] for track in layer["tracks"]}
    assert len(people) <= 4, "boxes of one person go together, whoever drew them"
    assert document["conflicts"] == sorted(
        document["conflicts"], key=lambda c: (c["second"], c["person"], c["kind"])
    )


async def test_the_previewed_consensus_follows_exclusions(site: Site) -> None:
    def voters() -> int:
        return int(str(drafts.preview_consensus(site.console, BATCH)["consensus_boxes"]["voters"].max()))

    assert voters() == 3
    decisions.exclude_annotator(site.console.store, BATCH, "good0", "adam", "")
    assert voters() == 2


async def test_a_release_goes_out_as_a_zip(site: Site) -> None:
    http = site.enter("vera").http_client
    csv = await http.get("/download/v1/AVA_dataset.csv")
    whole = zipfile.ZipFile(io.BytesIO((await http.get("/download/v1.zip")).content))
    assert whole.testzip() is None
    assert sorted(whole.namelist()) == ["v1/AVA_dataset.csv", "v1/dataset_card.md", "v1/release.json"]
    assert whole.read("v1/AVA_dataset.csv") == csv.content
