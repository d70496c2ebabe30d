"""Practice on the console: an admin chooses clips and a pass mark, somebody new practises, and the result is seen."""

from __future__ import annotations

import httpx
from nicegui import core, ui

from ava_core.store import annotators, examples, labellers, practice, tasks
from tests.support.site import ADDRESS, Site
from tests.support.street import BATCH
from tests.support.waiting import eventually

CLIP = "clip_0000"


def novice(site: Site) -> httpx.AsyncClient:
    """Somebody new, signed in as an annotator."""
    annotators.put(site.console.store, "novice")
    client = httpx.AsyncClient(transport=httpx.ASGITransport(core.app), base_url=ADDRESS)
    client.cookies.set("ava_session", labellers.begin(site.console.store, "novice", 7, "a key"))
    return client


async def test_an_admin_chooses_a_clip_and_a_pass_mark(site: Site) -> None:
    store, adam = site.console.store, site.enter("adam")
    await adam.open(f"/quality/{BATCH}/clips/{CLIP}")
    (chosen,) = adam.find(marker="practice").elements
    assert isinstance(chosen, ui.select)
    worker = next(name for name in chosen.options if name not in ("", "consensus"))
    chosen.set_value("consensus")
    await adam.should_see("has no approved consensus", retries=20)
    chosen.set_value(worker)
    await eventually(lambda: [one.measure for one in practice.clips(store)] == [worker])
    await adam.open("/people")
    await adam.should_see(f"correct answers from {worker}", retries=20)
    adam.find(marker="pass-mark").clear().type("70")
    adam.find(marker="practice-required").click()
    adam.find(marker="keep-practice").click()
    await eventually(lambda: practice.rule(store).required)
    assert practice.rule(store).pass_mark == 0.7


async def test_somebody_new_practises_on_the_page_of_a_job_and_is_seen_on_people(site: Site) -> None:
    store, adam, new = site.console.store, site.enter("adam"), novice(site)
    await adam.open(f"/quality/{BATCH}/clips/{CLIP}")
    (chosen,) = adam.find(marker="practice").elements
    assert isinstance(chosen, ui.select)
    chosen.set_value(next(name for name in chosen.options if name not in ("", "consensus")))
    await eventually(lambda: practice.clips(store))
    [clip] = practice.clips(store)

    assert "0 of 1 practice clips; the pass mark is 80%" in (await new.get("/work")).text
    page = await new.get(f"/work/practice/{clip.practice_id}")
    assert "labeller" in page.text
    sheet = (await new.get(f"/labelling/practice/{clip.practice_id}/sheet")).json()
    assert sheet["clip"]["id"] == CLIP
    assert (await new.get(sheet["clip"]["url"])).status_code == 200
    assert (await new.get(sheet["clip"]["url"].replace("0000", "0001"))).status_code == 403
    [*_, (second, _, box, right)] = clip.truth
    edit = {"key": "n1", "id": None, "base": "", "keys": [[second * 30, *box, False]],
            "said": {group: [[second * 30, ids]] for group, ids in right.items()}}  # fmt: skip
    where = f"/labelling/practice/{clip.practice_id}"
    assert (await new.post(f"{where}/save", json={"edits": [edit]})).json()["stored"]["n1"]["id"] == 1
    done = await new.post(f"{where}/state", json={"state": "completed"})
    assert done.json() == {"state": "completed"}
    told = (await new.get(f"{where}/sheet")).json()
    assert f"{len(right)} of " in told["notes"][0]
    assert told["issues"]
    assert (await new.post(f"{where}/save", json={"edits": [edit]})).status_code == 409

    await adam.open("/people")
    await adam.should_see(marker="practised-novice", retries=20)
    adam.find(marker="qualify-novice").click()
    await eventually(lambda: any(one.qualified_at for one in annotators.everyone(store)))


async def test_an_example_is_marked_at_a_review_and_shown_to_those_whom_it_tells_nothing(site: Site) -> None:
    store, adam, new = site.console.store, site.enter("adam"), novice(site)
    await adam.open(f"/quality/{BATCH}/clips/{CLIP}")
    (action,) = adam.find(marker="example-action").elements
    assert isinstance(action, ui.select)
    adam.find(marker="mark-example").click()
    await adam.should_see("No action is chosen", retries=20)
    action.set_value(1)
    adam.find(marker="mark-example").click()
    await eventually(lambda: examples.of_ontology(store, "street"))
    [one] = examples.of_ontology(store, "street")
    assert (one.action_id, one.clip_id, one.second) == (1, CLIP, 0)
    picture = f"/media/example/{one.example_id}"
    for query, kind in (("", "image/webp"), ("?still=yes", "image/jpeg")):
        assert (await new.get(picture + query)).headers["content-type"] == kind
    worker = tasks.jobs_of(store, BATCH, CLIP)[0].annotator
    new.cookies.set("ava_session", labellers.begin(store, worker, 8, "a key"))
    assert (await new.get(picture)).status_code == 403, "they label this very clip"
    await adam.open("/ontology?name=street")
    await adam.should_see(marker=f"remove-example-{one.example_id}", retries=20)
    adam.find(marker=f"remove-example-{one.example_id}").click()
    await eventually(lambda: not examples.of_ontology(store, "street"))
