"""Issues: a reviewer's remarks on a frame of a job, and the comments in which they are discussed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies, webhooks
from ava_core.annotation_server.access import Caller, CallerOf
from ava_core.annotation_server.changes import differences
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.jobs import accessible
from ava_core.annotation_server.lists import number_of, page
from ava_core.annotation_server.problems import forbidden, missing_object
from ava_core.annotation_server.removal import remove_issue
from ava_core.annotation_server.state import Document

router = APIRouter(prefix="/api")


@router.post("/issues", status_code=201)
def add_issue(caller: CallerOf, body: Body) -> Document:
    """Open an issue with its first comment."""
    given = read(bodies.Issue, body)
    if caller.state.get("job", given.job) is None:
        raise missing_object("job", given.job)
    accessible(caller, given.job)
    caller.must_exist("assignee", given.assignee)
    with caller.state.lock:
        issue = caller.state.add("issue", owner=caller.id, **given.model_dump(exclude={"message"}))
        caller.state.add("comment", issue=issue["id"], owner=caller.id, message=given.message)
    return _told(caller, "create", "issue", issue, issue)


@router.get("/issues")
def issues(request: Request, caller: CallerOf) -> Document:
    """Issues of a job, or all that the caller may see."""
    if number := number_of(request, "job_id"):
        accessible(caller, number)
        found = list(caller.state.find("issue", job=number))
    else:
        found = [issue for issue in caller.state.all("issue") if _sees(caller, issue)]
    return page(request, found, lambda d: _shown(caller, "issue", d))


@router.get("/issues/{number}")
def issue(number: int, caller: CallerOf) -> Document:
    """One issue."""
    return _shown(caller, "issue", _issue(caller, number))


@router.patch("/issues/{number}")
def change_issue(number: int, caller: CallerOf, body: Body) -> Document:
    """Resolve an issue, open it again, move it, or give it to somebody."""
    found = _issue(caller, number)
    given = read(bodies.IssueChange, body).given()
    caller.must_exist("assignee", given.get("assignee"))
    return _changed(caller, "issue", found, given, found)


@router.delete("/issues/{number}", status_code=204, response_class=Response)
def delete_issue(number: int, caller: CallerOf) -> None:
    """Remove an issue with its comments: its owner may, and who manages the job."""
    found = _issue(caller, number)
    if found["owner"] != caller.id:
        caller.must_manage(_job(caller, found))
    _told(caller, "delete", "issue", found, found)
    remove_issue(caller.state, number)


@router.post("/comments", status_code=201)
def add_comment(caller: CallerOf, body: Body) -> Document:
    """Answer in an issue."""
    given = read(bodies.Comment, body)
    if caller.state.get("issue", given.issue) is None:
        raise missing_object("issue", given.issue)
    issue = _issue(caller, given.issue)
    comment = caller.state.add("comment", owner=caller.id, **given.model_dump())
    return _told(caller, "create", "comment", comment, issue)


@router.get("/comments")
def comments(request: Request, caller: CallerOf) -> Document:
    """Comments of an issue, or all that the caller may see."""
    if number := number_of(request, "issue_id"):
        _issue(caller, number)
        found = list(caller.state.find("comment", issue=number))
    else:
        seen = {issue["id"] for issue in caller.state.all("issue") if _sees(caller, issue)}
        found = [comment for comment in caller.state.all("comment") if comment["issue"] in seen]
    return page(request, found, lambda d: _shown(caller, "comment", d))


@router.get("/comments/{number}")
def comment(number: int, caller: CallerOf) -> Document:
    """One comment."""
    found = caller.get("comment", number, "Comment")
    _issue(caller, found["issue"])
    return _shown(caller, "comment", found)


@router.patch("/comments/{number}")
def change_comment(number: int, caller: CallerOf, body: Body) -> Document:
    """Word a comment of one's own anew."""
    found, issue = _own_comment(caller, number)
    return _changed(caller, "comment", found, read(bodies.CommentChange, body).given(), issue)


@router.delete("/comments/{number}", status_code=204, response_class=Response)
def delete_comment(number: int, caller: CallerOf) -> None:
    """Remove a comment of one's own."""
    found, issue = _own_comment(caller, number)
    _told(caller, "delete", "comment", found, issue)
    caller.state.remove("comment", number)


def _issue(caller: Caller, number: int) -> Document:
    """An issue that the caller may see; refuses any other."""
    found = caller.get("issue", number, "Issue")
    if not _sees(caller, found):
        raise forbidden()
    return found


def _own_comment(caller: Caller, number: int) -> tuple[Document, Document]:
    """A comment, with its issue, that the caller wrote or whose job the caller manages."""
    found = caller.get("comment", number, "Comment")
    issue = _issue(caller, found["issue"])
    if found["owner"] != caller.id:
        caller.must_manage(_job(caller, issue))
    return found, issue


def _sees(caller: Caller, issue: Document) -> bool:
    """Whether the caller works on the issue's job or manages it, or the issue is his as a member."""
    job = _job(caller, issue)
    is_member = job["organization"] is None or job["organization"] in caller.roles
    return caller.may_do(job) or (is_member and caller.id in (issue["owner"], issue["assignee"]))


def _job(caller: Caller, issue: Document) -> Document:
    return caller.get("job", issue["job"], "Job")


def _changed(caller: Caller, kind: str, found: Document, given: Document, issue: Document) -> Document:
    """Change an issue or comment, and tell the webhooks what changed."""
    with caller.state.lock:
        before = dict(found)
        found |= given
        caller.state.touch(kind, found)
    changed = differences(before, found)
    return _told(caller, "update", kind, found, issue, changed)


def _told(
    caller: Caller, verb: str, kind: str, found: Document, issue: Document, changed: Any = None
) -> Document:
    """Tell the webhooks what became of an issue or comment; returns it as it is shown."""
    shown, job = _shown(caller, kind, found), _job(caller, issue)
    project = caller.get("task", job["task_id"], "Task")["project_id"]
    webhooks.fire(caller, f"{verb}:{kind}", kind, shown, project, job["organization"], changed)
    return shown


def _shown(caller: Caller, kind: str, found: Document) -> Document:
    """An issue or comment as the API shows it."""
    number, owner = found["id"], {"owner": caller.brief(found["owner"])}
    if kind == "comment":
        names: tuple[str, ...] = ("id", "issue", "message", "created_date", "updated_date")
        return {name: found[name] for name in names} | owner
    names = ("id", "frame", "position", "job", "created_date", "updated_date", "resolved")
    count = sum(1 for _ in caller.state.find("comment", issue=number))
    return {
        **{name: found[name] for name in names},
        **owner,
        "assignee": caller.brief(found["assignee"]),
        "comments": {"count": count, "url": f"{caller.base}/api/comments?issue_id={number}"},
    }
