"""Organisations, their members, and invitations to them."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies, webhooks
from ava_core.annotation_server.access import LEADERS, Caller, CallerOf
from ava_core.annotation_server.accounts import add_user, user_of_address
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import Problem, forbidden, invalid, refused
from ava_core.annotation_server.state import Document, timestamp

router = APIRouter(prefix="/api")

PARTS = ("project", "task", "job")
"""What lies in an organisation, and stays when it goes."""


@router.post("/organizations", status_code=201)
def add_organisation(caller: CallerOf, body: Body) -> Document:
    """Make an organisation; who makes it owns it."""
    given = read(bodies.Organisation, body)
    with caller.state.lock:
        _check_slug(caller, given.slug)
        content = given.model_dump() | {"name": given.name or given.slug}
        organisation = caller.state.add("organization", owner=caller.id, **content)
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
    """One organisation, for its members."""
    found = caller.get("organization", number, "Organization")
    if not caller.is_admin and number not in caller.roles:
        raise forbidden()
    return _organisation(caller, found)


@router.patch("/organizations/{number}")
def change_organisation(number: int, caller: CallerOf, body: Body) -> Document:
    """Rename an organisation, or change what it says of itself."""
    found = caller.get("organization", number, "Organization")
    if not caller.leads(number):
        raise forbidden()
    given = read(bodies.OrganisationChange, body).given()
    with caller.state.lock:
        if given.get("slug", found["slug"]) != found["slug"]:
            _check_slug(caller, given["slug"])
        changed = {name: (found[name], value) for name, value in given.items() if value != found[name]}
        found |= given
        caller.state.touch("organization", found)
    shown = _organisation(caller, found)
    webhooks.fire(caller, "update:organization", "organization", shown, None, number, changed)
    return shown


@router.delete("/organizations/{number}", status_code=204, response_class=Response)
def remove_organisation(number: int, caller: CallerOf) -> None:
    """Remove an organisation with its memberships and webhooks; its projects and tasks are then their owners'."""
    caller.get("organization", number, "Organization")
    if not caller.is_admin and caller.roles.get(number) != "owner":
        raise forbidden()
    with caller.state.lock:
        for kind in ("membership", "invitation", "webhook"):
            for document in list(caller.state.find(kind, organization=number)):
                caller.state.remove(kind, document["id"])
        for kind in PARTS:
            for document in list(caller.state.find(kind, organization=number)):
                caller.state.put(kind, document | {"organization": None})
        caller.state.remove("organization", number)


@router.post("/invitations", status_code=201)
def invite(caller: CallerOf, body: Body) -> Document:
    """Add the user of an e-mail address to the organisation of the call. Sends no mail: unknown ones fail."""
    number = caller.organisation["id"] if caller.organisation else None
    if not caller.leads(number):
        raise forbidden()
    if number is None:
        raise refused("Name the organization to which you invite.")
    given = read(bodies.Invitation, body)
    _must_grant(caller, number, given.role)
    with caller.state.lock:
        user = user_of_address(caller.state, given.email)
        if user is None:
            # CVAT has made the account by the time that it finds no way to tell.
            name, word = given.email[:150], secrets.token_urlsafe()
            user = add_user(caller.state, name, word, email=given.email, active=False)
            _join(caller, user["id"], number, given.role, secrets.token_urlsafe(48), active=False)
            raise Problem(400, "Email backend is not configured.")
        if next(caller.state.find("membership", user=user["id"], organization=number), None):
            raise refused("The user is a member of the organization already.")
        invitation = caller.state.add(
            "invitation",
            key=secrets.token_urlsafe(48),
            owner=caller.id,
            role=given.role,
            user=user["id"],
            organization=number,
        )
        _join(caller, user["id"], number, given.role, invitation["key"])
    webhooks.fire(caller, "create:invitation", "invitation", _invitation(caller, invitation), None, number)
    return _invitation(caller, invitation)


@router.get("/invitations")
def invitations(request: Request, caller: CallerOf) -> Document:
    """The caller's invitations, given and got."""
    found = [i for i in caller.state.all("invitation") if caller.id in (i["owner"], i["user"])]
    return page(request, filter(caller.sees, found), lambda d: _invitation(caller, d))


@router.get("/memberships")
def memberships(request: Request, caller: CallerOf) -> Document:
    """Members of the organisation of the call; without one, the caller's own memberships."""
    fields = {
        "id": lambda d: d["id"],
        "role": lambda d: d["role"],
        "user": lambda d: (caller.state.get("user", d["user"]) or {}).get("username"),
    }
    found = [m for m in caller.state.all("membership") if caller.sees(m) and _is_shown(caller, m)]
    names = ("user", "role")
    return page(request, found, lambda d: _membership(caller, d), fields=fields, simple=names, search=names)


@router.get("/memberships/{number}")
def membership(number: int, caller: CallerOf) -> Document:
    """One membership."""
    found = caller.get("membership", number, "Membership")
    if not _is_shown(caller, found) and found["organization"] not in caller.roles:
        raise forbidden()
    return _membership(caller, found)


@router.patch("/memberships/{number}")
def change_membership(number: int, caller: CallerOf, body: Body) -> Document:
    """Give a member another role."""
    membership = caller.get("membership", number, "Membership")
    _must_grant(caller, membership["organization"], membership["role"])
    role = read(bodies.MembershipChange, body).role
    _must_grant(caller, membership["organization"], role)
    changed = {"role": (membership["role"], role)}
    membership["role"] = role
    caller.state.put("membership", membership)
    shown, number = _membership(caller, membership), membership["organization"]
    webhooks.fire(caller, "update:membership", "membership", shown, None, number, changed)
    return shown


@router.delete("/memberships/{number}", status_code=204, response_class=Response)
def remove_membership(number: int, caller: CallerOf) -> None:
    """Take a member out of the organisation."""
    membership = caller.get("membership", number, "Membership")
    if membership["user"] != caller.id or membership["role"] in LEADERS:
        _must_grant(caller, membership["organization"], membership["role"])
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


def _check_slug(caller: Caller, slug: str) -> None:
    if next(caller.state.find("organization", slug=slug), None):
        raise invalid("slug", "organization with this slug already exists.")


def _must_grant(caller: Caller, number: int, role: str) -> None:
    """Refuse who may not give or take a role: leaders may, below their own."""
    own = caller.roles.get(number)
    below = ("maintainer", "supervisor", "worker") if own == "owner" else ("supervisor", "worker")
    if not caller.is_admin and (own not in LEADERS or role not in below):
        raise forbidden()


def _is_shown(caller: Caller, membership: Document) -> bool:
    """Whether a list shows a membership: active ones, without an organisation the caller's own; all to an admin."""
    own = caller.organisation is not None or membership["user"] == caller.id
    return caller.is_admin or (own and membership["is_active"])


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
