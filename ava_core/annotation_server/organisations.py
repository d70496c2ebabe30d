"""Organisations, their members, and invitations to them."""

from __future__ import annotations

import re
import secrets

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import webhooks
from ava_core.annotation_server.access import Body, Caller, CallerOf
from ava_core.annotation_server.accounts import add_user
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import Problem, ServerFault, invalid, refused
from ava_core.annotation_server.state import Document, timestamp

router = APIRouter(prefix="/api")

ROLES = ("worker", "supervisor", "maintainer", "owner")


@router.post("/organizations", status_code=201)
def add_organisation(caller: CallerOf, body: Body) -> Document:
    """Make an organisation; who makes it owns it."""
    slug = str(body.get("slug", ""))
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", slug):
        raise invalid("slug", 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.')
    with caller.state.lock:
        if next(caller.state.find("organization", slug=slug), None):
            raise invalid("slug", "organization with this slug already exists.")
        organisation = caller.state.add(
            "organization",
            slug=slug,
            name=str(body.get("name") or slug),
            description=str(body.get("description", "")),
            contact=body.get("contact") or {},
            owner=caller.id,
        )
        _join(caller, caller.id, organisation["id"], "owner", None)
    return _organisation(caller, organisation)


@router.get("/organizations")
def organisations(request: Request, caller: CallerOf) -> Document:
    """The organisations that the caller belongs to, all for an administrator."""
    own = {m["organization"] for m in caller.state.find("membership", user=caller.id, is_active=True)}
    found = [o for o in caller.state.all("organization") if caller.is_admin or o["id"] in own]
    return page(
        request,
        found,
        lambda d: _organisation(caller, d),
        fields={"slug": lambda d: d["slug"]},
        simple=("slug",),
    )


@router.get("/organizations/{number}")
def organisation(number: int, caller: CallerOf) -> Document:
    """One organisation."""
    return _organisation(caller, caller.get("organization", number, "Organization"))


@router.post("/invitations", status_code=201)
def invite(caller: CallerOf, body: Body) -> Document:
    """Add the user of an e-mail address to the organisation of the call. Sends no mail: unknown ones fail."""
    if caller.organisation is None:
        raise ServerFault
    number = caller.organisation["id"]
    caller.must_manage({"organization": number})
    role = body.get("role")
    if role not in ROLES:
        raise invalid("role", f'"{role}" is not a valid choice.')
    email = str(body.get("email", ""))
    user = next(caller.state.find("user", email=email), None)
    if user is None:
        # CVAT has made the account by the time that it finds no way to tell.
        user = add_user(caller.state, email, secrets.token_urlsafe(), email=email, active=False)
        _join(caller, user["id"], number, role, secrets.token_urlsafe(48), active=False)
        raise Problem(500, "Email backend is not configured.")
    if next(caller.state.find("membership", user=user["id"], organization=number), None):
        raise refused("The user is a member of the organization already.")
    invitation = caller.state.add(
        "invitation",
        key=secrets.token_urlsafe(48),
        owner=caller.id,
        role=role,
        user=user["id"],
        organization=number,
    )
    _join(caller, user["id"], number, role, invitation["key"])
    webhooks.fire(caller, "create:invitation", "invitation", _invitation(caller, invitation), None, number)
    return _invitation(caller, invitation)


@router.get("/invitations")
def invitations(request: Request, caller: CallerOf) -> Document:
    """The caller's invitations, given and got."""
    found = [i for i in caller.state.all("invitation") if caller.id in (i["owner"], i["user"])]
    return page(request, filter(caller.sees, found), lambda d: _invitation(caller, d))


@router.get("/memberships")
def memberships(request: Request, caller: CallerOf) -> Document:
    """Members of the organisation of the call."""
    fields = {
        "id": lambda d: d["id"],
        "role": lambda d: d["role"],
        "user": lambda d: (caller.state.get("user", d["user"]) or {}).get("username"),
    }
    found = filter(caller.sees, caller.state.all("membership"))
    return page(request, found, lambda d: _membership(caller, d), fields=fields, simple=("user", "role"))


@router.patch("/memberships/{number}")
def change_membership(number: int, caller: CallerOf, body: Body) -> Document:
    """Give a member another role."""
    membership = caller.get("membership", number, "Membership")
    caller.must_manage(membership)
    if body.get("role") not in ROLES:
        raise invalid("role", f'"{body.get("role")}" is not a valid choice.')
    changed = {"role": (membership["role"], body["role"])}
    membership["role"] = body["role"]
    caller.state.put("membership", membership)
    shown, number = _membership(caller, membership), membership["organization"]
    webhooks.fire(caller, "update:membership", "membership", shown, None, number, changed)
    return shown


@router.delete("/memberships/{number}", status_code=204, response_class=Response)
def remove_membership(number: int, caller: CallerOf) -> None:
    """Take a member out of the organisation."""
    membership = caller.get("membership", number, "Membership")
    if membership["user"] != caller.id:
        caller.must_manage(membership)
    caller.state.remove("membership", number)


def _join(
    caller: Caller, user_id: int, number: int, role: str, invitation: str | None, *, active: bool = True
) -> None:
    """Make a membership; an invited user who has an account joins at once."""
    membership = caller.state.add(
        "membership",
        user=user_id,
        organization=number,
        role=role,
        is_active=active,
        joined_date=timestamp() if active else None,
        invitation=invitation,
    )
    shown = _membership(caller, membership)
    waiting = shown | {"is_active": False, "joined_date": None, "invitation": None}
    webhooks.fire(caller, "create:membership", "membership", waiting, None, number)
    if active:
        changed = {"is_active": (False, True), "joined_date": (None, shown["joined_date"])}
        webhooks.fire(caller, "update:membership", "membership", shown, None, number, changed)


def _organisation(caller: Caller, organisation: Document) -> Document:
    names = ("id", "slug", "name", "description", "created_date", "updated_date", "contact")
    return {name: organisation[name] for name in names} | {"owner": caller.brief(organisation["owner"])}


def _invitation(caller: Caller, invitation: Document) -> Document:
    organisation = caller.state.get("organization", invitation["organization"]) or {}
    return {
        "key": invitation["key"],
        "created_date": invitation["created_date"],
        "owner": caller.brief(invitation["owner"]),
        "role": invitation["role"],
        "user": caller.brief(invitation["user"]),
        "organization": invitation["organization"],
        "expired": None,
        "accepted": True,
        "organization_info": {"id": organisation.get("id"), "slug": organisation.get("slug")},
    }


def _membership(caller: Caller, membership: Document) -> Document:
    names = ("id", "organization", "is_active", "joined_date", "role", "invitation")
    return {name: membership[name] for name in names} | {"user": caller.brief(membership["user"])}
