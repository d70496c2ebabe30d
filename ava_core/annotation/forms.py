"""Whose ids mean what: projects, labels and attributes are known by the ids they had when tasks were made.

Names may change on the server, and a second project of the same name may come to be. Reading looks nothing up by name
and makes nothing; new tasks go into the project that the platform already has, whatever it is called now.
"""

from __future__ import annotations

from typing import Any

from ava_core.annotation.gateway import CvatGateway, ProjectInfo
from ava_core.base.errors import CvatError
from ava_core.batch import BatchContext
from ava_core.store import Store, tasks


def form_of(store: Store, gateway: CvatGateway, project_id: int) -> ProjectInfo:
    """The form of a project as it was when tasks were made in it.

    Of a project that was noted without one it is the form that the server has now, which is kept from then on. Raises
    `CvatError` where the server has none.
    """
    known = tasks.projects(store).get(project_id)
    if known is not None and known.form:
        return ProjectInfo(project_id, known.form["label_id"], known.form["specs"])
    found = gateway.form_of(project_id)
    tasks.put_project(store, project_id, known.name if known else str(project_id), as_json(found))
    return found


def known_project(store: Store, name: str) -> int | None:
    """Id of the project that was made under that name, the newest where there were several; `None` where none was."""
    return max((p.project_id for p in tasks.projects(store).values() if p.name == name), default=None)


def project_for_tasks(at: BatchContext, gateway: CvatGateway) -> ProjectInfo:
    """The platform's project, made where it has none; its form is kept.

    Raises `CvatError` where its form does not fit the ontology, or was made anew since tasks were made with it.
    """
    name = at.settings.cvat_project
    known = known_project(at.store, name)
    found = None if known is None else gateway.project_of(known, at.ontology)
    project = found or gateway.ensure_project(name, at.ontology)
    before = tasks.projects(at.store).get(project.project_id)
    if before is not None and before.form and before.form != as_json(project):
        raise CvatError(
            f"The label or attributes of project {project.project_id} on {gateway.url} were recreated, so "
            f"existing tasks refer to ids that no longer exist.",
            "Run `ava reading learn` to learn the new ids, or use another project (AVA_CVAT_PROJECT).",
        )
    tasks.put_project(at.store, project.project_id, name, as_json(project))
    return project


def learn_forms(store: Store, gateway: CvatGateway) -> list[int]:
    """Take up the forms that the server has now; returns the ids of the projects whose form was another one."""
    changed = []
    for number, project in sorted(tasks.projects(store).items()):
        form = as_json(gateway.form_of(number))
        if form != project.form:
            tasks.put_project(store, number, project.name, form)
            changed.append(number)
    return changed


def as_json(project: ProjectInfo) -> dict[str, Any]:
    """A form as the table `projects` keeps it."""
    return {"label_id": project.label_id, "specs": project.specs}
