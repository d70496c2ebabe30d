"""Bringing a CVAT server to where the platform can work with it, and saying what a person must still do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal

from ava_core.annotation.form_repair import form_lacks
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.mending import look
from ava_core.base.errors import CvatError
from ava_core.base.settings import Settings
from ava_core.ontology import Ontology
from ava_core.store import Store
from ava_core.store.annotators import available

WEBHOOK_EVENTS: Final = ("update:job",)
"""All that the sensor needs to hear: state, stage and assignee of a job, and writing of its annotations."""


@dataclass(frozen=True)
class Step:
    """One thing that must be so: `there` already, `made` now, or to do `by hand` as `said`."""

    what: str
    state: Literal["there", "made", "by hand"]
    said: str = ""


def set_up(
    settings: Settings,
    ontology: Ontology,
    annotators: Sequence[str],
    webhook_url: str = "",
    known: int | None = None,
) -> list[Step]:
    """Make organisation, project and webhook where they are missing; done again, it changes nothing.

    `annotators`: exact user names that must be members. `webhook_url`: where CVAT reaches the console's
    `/webhook`; nothing is made for it while AVA_WEBHOOK_SECRET is unset. `known`: id of the project that the platform
    has already, which may be called otherwise by now.
    """
    with CvatGateway(settings) as gateway:
        steps = [_versions(gateway)]
        made = gateway.ensure_organisation()
        steps.append(Step(f"organisation {settings.cvat_organisation}", "made" if made else "there"))
        own = None if known is None else gateway.project_of(known, ontology)
        there = own or gateway.project_named(settings.cvat_project)
        project = own or gateway.ensure_project(settings.cvat_project, ontology)
        form = f"form of ontology {ontology.name} {ontology.version}"
        steps.append(Step(f"project {settings.cvat_project}", "there" if there else "made", form))
        steps += _members(gateway, annotators)
        steps.append(_webhook(gateway, project.project_id, webhook_url))
    return steps


def check(
    settings: Settings, ontology: Ontology, annotators: Sequence[str], known: int | None = None
) -> list[Step]:
    """The same without making anything."""
    with CvatGateway(settings) as gateway:
        account = gateway.whoami()
        rights = "administrator" if account.get("is_superuser") else "no administrator: cannot make accounts"
        steps = [_versions(gateway), Step(f"account {account['username']}", "there", rights)]
        if not gateway.may_write():
            steps.append(
                Step("token", "by hand", "it is read-only: create one with write access (AVA_CVAT_TOKEN)")
            )
        missing = "create it with `ava cvat setup`"
        if not gateway.has_organisation():
            return [*steps, Step(f"organisation {settings.cvat_organisation}", "by hand", missing)]
        steps.append(Step(f"organisation {settings.cvat_organisation}", "there"))
        name = f"project {settings.cvat_project}"
        form = f"form of ontology {ontology.name} {ontology.version}"
        own = known if known is not None and gateway.has_project(known) else None
        project = own or (gateway.project_named(settings.cvat_project) or {}).get("id")
        if project is None:
            steps.append(Step(name, "by hand", missing))
        elif lacks := form_lacks(gateway, project, ontology):
            steps.append(
                Step(name, "by hand", f"its form lacks {'; '.join(lacks)} of ontology {ontology.name}")
            )
        else:
            steps.append(Step(name, "there", form))
        return steps + _members(gateway, annotators)


def differences(settings: Settings, store: Store) -> list[Step]:
    """What was made on the server and is gone or changed; each is left to a person, or to the page Progress."""
    known = {person.username for person in available(store)}  # `check` says so of these
    found = [one for one in look(settings, store) if one.subject not in known]
    if not found:
        return [Step("tasks, labels and members", "there", "unchanged")]
    return [Step(one.kind.replace("_", " "), "by hand", f"{one.said} {one.cure}") for one in found]


def version_difference(server: str, sdk: str) -> str:
    """A sentence where server and `cvat-sdk` are of different releases, else ""."""
    if server.split(".")[:2] == sdk.split(".")[:2]:
        return ""
    return (
        f"server {server} and cvat-sdk {sdk} differ; cvat-sdk 2.80 is held to recordings of server 2.73. "
        "If something fails, install the server's release of cvat-sdk"
    )


def _versions(gateway: CvatGateway) -> Step:
    server, sdk = gateway.about(), version("cvat-sdk")
    return Step(
        f"CVAT {server} at {gateway.url}", "there", version_difference(server, sdk) or f"cvat-sdk {sdk}"
    )


def _members(gateway: CvatGateway, annotators: Sequence[str]) -> list[Step]:
    members = gateway.members()
    return [
        Step(f"annotator {name}", "there", "member")
        if name in members
        else Step(
            f"annotator {name}", "by hand",
            f"not a member: invite them to organisation {gateway.settings.cvat_organisation}, or "
            f"`ava annotator add {name} --email ADDRESS`",
        )
        for name in annotators
    ]  # fmt: skip


def _webhook(gateway: CvatGateway, project_id: int, url: str) -> Step:
    secret = gateway.settings.webhook_secret
    what = f"webhook {url}".strip()
    if not url:
        said = "none requested; polling finds all work. Use --webhook-url to get it immediately"
        return Step(what, "by hand", said)
    if secret is None:
        return Step(
            what, "by hand", "set AVA_WEBHOOK_SECRET here and for the console, then run the command again"
        )
    try:
        number, made = gateway.ensure_webhook(project_id, url, secret.get_secret_value(), WEBHOOK_EVENTS)
        status = gateway.ping_webhook(number)
    except CvatError as error:
        return Step(what, "by hand", str(error))
    if status == 200:
        return Step(what, "made" if made else "there", "a ping arrived")
    cures = {
        401: "the console has another AVA_WEBHOOK_SECRET",
        403: "the console has no AVA_WEBHOOK_SECRET",
        404: "nothing listens at this path",
    }
    otherwise = (
        "start the console (or `ava webhook`), and let CVAT reach private addresses: "
        "SMOKESCREEN_OPTS in docker/compose.cvat.yaml"
    )
    return Step(what, "by hand", f"the ping got {status}: {cures.get(status, otherwise)}")
