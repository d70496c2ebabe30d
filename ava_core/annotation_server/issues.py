"""Issues: a reviewer's remarks on a frame of a job."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ava_core.annotation_server import webhooks
from ava_core.annotation_server.access import Body, Caller, CallerOf
from ava_core.annotation_server.jobs import accessible
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import invalid
from ava_core.annotation_server.state import Document

router = APIRouter(prefix="/api")


@router.post("/issues", status_code=201)
def add_issue(caller: CallerOf, body: Body) -> Document:
    """Open an issue with its first comment."""
    job = accessible(caller, int(body.get("job") or 0))
    if not body.get("message"):
        raise invalid("message", "This field is required.")
    issue = caller.state.add(
        "issue",
        frame=int(body.get("frame") or 0),
        position=[float(p) for p in body.get("position") or []],
        job=job["id"],
        owner=caller.id,
        assignee=body.get("assignee"),
        resolved=False,
    )
    caller.state.add("comment", issue=issue["id"], owner=caller.id, message=str(body["message"]))
    task = caller.get("task", job["task_id"], "Task")
    webhooks.fire(
        caller, "create:issue", "issue", _issue(caller, issue), task["project_id"], job["organization"]
    )
    return _issue(caller, issue)


@router.get("/issues")
def issues(request: Request, caller: CallerOf) -> Document:
    """Issues of a job, or all that the caller may see."""
    found = caller.state.all("issue")
    if number := request.query_params.get("job_id"):
        accessible(caller, int(number))
        found = [issue for issue in found if issue["job"] == int(number)]
    elif not caller.is_admin:
        own = {job["id"] for job in caller.state.find("job", assignee=caller.id)}
        found = [issue for issue in found if issue["job"] in own]
    return page(request, found, lambda d: _issue(caller, d))


@router.get("/comments")
def comments(request: Request, caller: CallerOf) -> Document:
    """Comments of an issue."""
    number = int(request.query_params.get("issue_id") or 0)
    accessible(caller, caller.get("issue", number, "Issue")["job"])
    names = ("id", "issue", "message", "created_date", "updated_date")
    return page(
        request,
        caller.state.find("comment", issue=number),
        lambda d: {name: d[name] for name in names} | {"owner": caller.brief(d["owner"])},
    )


def _issue(caller: Caller, issue: Document) -> Document:
    number = issue["id"]
    count = sum(1 for _ in caller.state.find("comment", issue=number))
    same = ("id", "frame", "position", "job", "created_date", "updated_date", "resolved")
    return {
        **{name: issue[name] for name in same},
        "owner": caller.brief(issue["owner"]),
        "assignee": caller.brief(issue["assignee"]),
        "comments": {"count": count, "url": f"{caller.base}/api/comments?issue_id={number}"},
    }
