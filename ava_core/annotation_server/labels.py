"""Labels of projects and tasks, with their attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.lists import number_of, page
from ava_core.annotation_server.problems import forbidden, invalid, refused
from ava_core.annotation_server.removal import remove_label
from ava_core.annotation_server.state import Document

router = APIRouter(prefix="/api")

DEFAULT_COLOR = "#2f9bff"


@router.get("/labels")
def labels(request: Request, caller: CallerOf) -> Document:
    """Labels of a project, a task or a job."""
    found = caller.state.all("label")[::-1]
    if number := number_of(request, "project_id"):
        caller.must_manage(caller.get("project", number, "Project"))
        found = list(caller.state.find("label", project_id=number))[::-1]
    elif number := number_of(request, "task_id"):
        task = caller.get("task", number, "Task")
        caller.must_manage(task)
        found = labels_of(caller, task)
    elif number := number_of(request, "job_id"):
        job = caller.get("job", number, "Job")
        if not caller.may_do(job):
            raise forbidden()
        found = labels_of(caller, caller.get("task", job["task_id"], "Task"))
    elif not caller.is_admin:
        found = []
    return page(request, found, _label)


def labels_of(caller: Caller, task: Document) -> list[Document]:
    """Labels of a task: its own, or its project's."""
    where = {"project_id": task["project_id"]} if task["project_id"] else {"task_id": task["id"]}
    return list(caller.state.find("label", **where))[::-1]


@router.get("/labels/{number}")
def label(number: int, caller: CallerOf) -> Document:
    """One label."""
    return _label(_managed(caller, number))


@router.patch("/labels/{number}")
def change_label(number: int, caller: CallerOf, body: Body) -> Document:
    """Change a label: its name, colour, attributes."""
    found = _managed(caller, number)
    given = read(bodies.Label, body)
    change_labels(caller, [given.model_copy(update={"id": number, "deleted": False})], **_place(found))
    return _label(found)


@router.delete("/labels/{number}", status_code=204, response_class=Response)
def remove(number: int, caller: CallerOf) -> None:
    """Remove a label with everything that was annotated with it."""
    remove_label(caller.state, _managed(caller, number))


def check_labels(labels: Sequence[bodies.Label]) -> None:
    """Refuse labels without a name, and names that repeat."""
    if any("name" not in label.model_fields_set for label in labels):
        raise refused("All labels must have a name")
    if _repeated([label.name for label in labels]):
        raise refused("All label names must be unique")
    for label in labels:
        for name in _repeated([attribute.name for attribute in label.attributes]):
            raise refused(f"Duplicate attribute with name '{name}' exists")


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def add_labels(
    caller: Caller,
    labels: Sequence[bodies.Label],
    *,
    project_id: int | None = None,
    task_id: int | None = None,
) -> None:
    """Give a project, or a task without one, labels of its own; they are checked already."""
    for label in labels:
        caller.state.add(
            "label",
            name=label.name,
            color=label.color or DEFAULT_COLOR,
            type=label.type,
            attributes=[_new_attribute(caller, attribute) for attribute in label.attributes],
            project_id=project_id,
            task_id=task_id,
        )


def change_labels(caller: Caller, labels: Sequence[bodies.Label], **place: int | None) -> None:
    """Labels with an id are changed or, where they say so, removed with their annotations; others are added.

    `place`: `project_id` or `task_id`. Everything is checked before anything is changed.
    """
    known = {label["id"]: label for label in caller.state.find("label", **place)}
    for label in labels:
        if label.id is not None and label.id not in known:
            raise refused(f"Not found label with id #{label.id} to change")
    gone = {label.id for label in labels if label.id is not None and label.deleted}
    changed = {
        label.id: (known[label.id], _changed(caller, known[label.id], label))
        for label in labels
        if label.id is not None and label.id not in gone
    }
    new = [label for label in labels if label.id is None]
    check_labels(new)
    stay = [changed.get(number, (label, label))[1] for number, label in known.items() if number not in gone]
    if _repeated([label["name"] for label in stay] + [label.name for label in new]):
        raise refused("All label names must be unique")
    for number in gone:
        remove_label(caller.state, known[number])
    for found, content in changed.values():
        found |= content
        caller.state.touch("label", found)
    add_labels(caller, new, **place)


def _changed(caller: Caller, found: Document, label: bodies.Label) -> Document:
    """The label with what is given in place of what it had."""
    given = {
        name: getattr(label, name) for name in ("name", "color", "type") if name in label.model_fields_set
    }
    attributes = {attribute["id"]: attribute for attribute in found["attributes"]}
    for attribute in label.attributes:
        if attribute.id is None:
            made = _new_attribute(caller, attribute)
            attributes[made["id"]] = made
        elif attribute.id not in attributes:
            raise refused(f"Not found attribute with id #{attribute.id} to change")
        elif attribute.deleted:
            del attributes[attribute.id]
        else:
            kept = attribute.given() | {"id": attribute.id}
            attributes[attribute.id] = attributes[attribute.id] | {
                name: value for name, value in kept.items() if name != "deleted" and value is not None
            }
    if repeated := _repeated([attribute["name"] for attribute in attributes.values()]):
        raise refused(f"Duplicate attribute with name '{repeated[0]}' exists")
    return found | given | {"attributes": list(attributes.values())}


def _new_attribute(caller: Caller, given: bodies.Attribute) -> Document:
    if "name" not in given.model_fields_set:
        raise invalid("attributes", "All attributes must have a name")
    values = given.values or [""]
    default = given.default_value or values[0]
    content = given.model_dump(include={"name", "mutable", "input_type"})
    number = caller.state.new_id("attribute")
    return {"id": number, **content, "default_value": default, "values": values}


def _place(label: Document) -> dict[str, int | None]:
    """Where a label belongs: `project_id` or `task_id`."""
    return {"project_id": label["project_id"]} if label["project_id"] else {"task_id": label["task_id"]}


def _managed(caller: Caller, number: int) -> Document:
    """A label of a project or task that the caller manages."""
    found = caller.get("label", number, "Label")
    kind = "project" if found["project_id"] else "task"
    caller.must_manage(caller.get(kind, found[f"{kind}_id"], kind.capitalize()))
    return found


def _label(label: Document) -> Document:
    shown = {name: label[name] for name in ("id", "name", "color", "attributes", "type")}
    return shown | {"sublabels": [], "parent_id": None, "has_parent": False} | _place(label)


def project_of(caller: Caller, number: int) -> Document:
    """A project by id, refused as CVAT does where a task names it."""
    found = caller.state.get("project", number)
    if found is None:
        raise refused("Project matching query does not exist.")
    return found
