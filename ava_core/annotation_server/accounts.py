"""Login, registration, users, access tokens."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server import bodies
from ava_core.annotation_server.access import (
    Caller,
    CallerOf,
    authenticate,
    check_password,
    end_sessions,
    hash_password,
    start_session,
)
from ava_core.annotation_server.answers import CvatJSON
from ava_core.annotation_server.fields import Body, read
from ava_core.annotation_server.lifetimes import token_has_expired
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.passwords import is_like, weaknesses
from ava_core.annotation_server.problems import Problem, forbidden, invalid, refused
from ava_core.annotation_server.state import Document, State, timestamp

router = APIRouter(prefix="/api")


def add_user(
    state: State,
    username: str,
    password: str,
    *,
    email: str = "",
    superuser: bool = False,
    active: bool = True,
    names: tuple[str, str] = ("", ""),
) -> Document:
    """Make an account."""
    return state.add(
        "user",
        username=username,
        password=hash_password(password),
        email=email,
        first_name=names[0],
        last_name=names[1],
        groups=["admin"] if superuser else ["user"],
        is_staff=superuser,
        is_superuser=superuser,
        is_active=active,
        last_login=None,
        date_joined=timestamp(),
    )


@router.post("/auth/login")
def login(request: Request, body: Body) -> Response:
    """Check a password; answers the user's key and opens a session."""
    state: State = request.app.state.store
    given = read(bodies.Login, body)
    user = check_password(state, given.username, given.password)
    if user is None:
        raise Problem(400, {"non_field_errors": ["Unable to log in with provided credentials."]})
    key, session = start_session(state, user)
    answer = CvatJSON({"key": key})
    answer.set_cookie("sessionid", session, httponly=True, samesite="lax", path="/")
    answer.set_cookie("csrftoken", secrets.token_urlsafe(24), samesite="lax", path="/")
    return answer


@router.post("/auth/logout")
def logout(request: Request) -> Document:
    """End the user's session and key, for all clients of the user."""
    if user := authenticate(request):
        end_sessions(request.app.state.store, user)
    return {"detail": "Successfully logged out."}


@router.post("/auth/register", status_code=201)
def register(request: Request, body: Body) -> Document:
    """Make an account: an administrator for somebody, or, where that is allowed, anybody for himself."""
    state: State = request.app.state.store
    caller = authenticate(request)
    if not state.options.registration and not (caller and caller["is_superuser"]):
        raise Problem(403, {"detail": "Accounts are made by the administrator of this server."})
    given = read(bodies.Registration, body)
    own = {
        "username": given.username,
        "first name": given.first_name,
        "last name": given.last_name,
        "email address": given.email or "",
    }
    _check_password(given, own)
    with state.lock:
        if next(state.find("user", username=given.username), None):
            raise invalid("username", "A user with that username already exists.")
        taken = user_of_address(state, given.email) if given.email else None
        # An invitation that went nowhere left an account that nobody has used: its address is free.
        if taken is not None and (taken["is_active"] or taken["last_login"]):
            raise refused("A user is already registered with this e-mail address.")
        names = given.first_name, given.last_name
        user = add_user(state, given.username, given.password1, email=given.email or "", names=names)
    key, _ = start_session(state, user)
    shown = {name: user[name] for name in ("username", "email", "first_name", "last_name")}
    return shown | {"email_verification_required": False, "key": key}


def _check_password(given: bodies.NewPassword, own: Document) -> None:
    if weak := weaknesses(given.password1):
        raise Problem(400, {"password1": weak})
    if given.password1 != given.password2:
        raise Problem(400, {"non_field_errors": ["The two password fields didn't match."]})
    if similar := [name for name, value in own.items() if is_like(given.password1, value)]:
        said = [f"The password is too similar to the {name}." for name in similar]
        raise Problem(400, {"non_field_errors": said})


def user_of_address(state: State, email: str) -> Document | None:
    """The user of an e-mail address, however it is capitalised."""
    wanted = email.casefold()
    return next((user for user in state.all("user") if user["email"].casefold() == wanted), None)


@router.get("/users/self")
def own_user(caller: CallerOf) -> Document:
    """The caller."""
    return _user(caller, caller.user)


@router.get("/users")
def users(request: Request, caller: CallerOf) -> Document:
    """All users; within an organisation its members, in short for all but administrators."""
    found: Any = caller.state.all("user")
    if caller.organisation:
        members = caller.state.find("membership", organization=caller.organisation["id"], is_active=True)
        ids = {m["user"] for m in members}
        found = [user for user in found if user["id"] in ids]
    elif not caller.is_admin:
        found = [caller.user]
    names = ("username", "first_name", "last_name")
    fields = {name: (lambda d, n=name: d[n]) for name in ("id", "is_active", *names)}
    show = _user if caller.is_admin else _brief
    return page(request, found, lambda d: show(caller, d), fields=fields, search=names, simple=names)


@router.get("/users/{number}")
def user(number: int, caller: CallerOf) -> Document:
    """One user; others in short for who is no administrator, and only those of the same organisation."""
    found = caller.get("user", number, "User")
    if caller.is_admin or number == caller.id:
        return _user(caller, found)
    theirs = {m["organization"] for m in caller.state.find("membership", user=number, is_active=True)}
    if not theirs & caller.roles.keys():
        raise forbidden()
    return _brief(caller, found)


@router.patch("/users/{number}")
def change_user(number: int, caller: CallerOf, body: Body) -> Document:
    """Change groups, names, or whether the account is active; who is not any more is signed out at once."""
    found = caller.get("user", number, "User")
    if not caller.is_admin:
        raise forbidden()
    found |= read(bodies.UserChange, body).given()
    with caller.state.lock:
        caller.state.put("user", found)
        if not found["is_active"]:
            end_sessions(caller.state, found)
    return _user(caller, found)


@router.put("/users/{number}/password", status_code=204, response_class=Response)
def set_password(number: int, caller: CallerOf, body: Body) -> None:
    """Give a user a new password, which ends whatever the old one began. On CVAT its own admin pages do this."""
    found = caller.get("user", number, "User")
    if not caller.is_admin or found["is_superuser"]:
        raise forbidden()
    given = read(bodies.NewPassword, body)
    named = {name.replace("_", " "): found[name] for name in ("username", "first_name", "last_name")}
    _check_password(given, named | {"email address": found["email"]})
    with caller.state.lock:
        caller.state.put("user", found | {"password": hash_password(given.password1)})
        end_sessions(caller.state, found)
        for token in list(caller.state.find("access_token", user=number)):
            caller.state.remove("access_token", token["id"])


@router.post("/auth/access_tokens", status_code=201)
def add_access_token(request: Request, caller: CallerOf, body: Body) -> Document:
    """Make a personal access token; its value is shown this once. A token cannot make tokens."""
    if hasattr(request.state, "by_access_token"):
        raise forbidden()
    given = read(bodies.AccessToken, body).model_dump()
    key = secrets.token_urlsafe(30)
    token = caller.state.add("access_token", user=caller.id, key=key, last_used_date=None, **given)
    return _access_token(caller, token) | {"value": token["key"]}


@router.get("/auth/access_tokens")
def access_tokens(request: Request, caller: CallerOf) -> Document:
    """The caller's tokens that are still good."""
    valid = (t for t in caller.state.find("access_token", user=caller.id) if not token_has_expired(t))
    return page(request, valid, lambda d: _access_token(caller, d))


@router.get("/auth/access_tokens/self")
def own_access_token(request: Request, caller: CallerOf) -> Document:
    """The token by which the caller came."""
    token = getattr(request.state, "by_access_token", None)
    if token is None:
        raise Problem(404, {"detail": "Not found."})
    return _access_token(caller, token)


@router.patch("/auth/access_tokens/{number}")
def change_access_token(request: Request, number: int, caller: CallerOf, body: Body) -> Document:
    """Rename a token, or change its end or what it may do."""
    token = _own_token(request, caller, number)
    token |= read(bodies.AccessTokenChange, body).given()
    caller.state.touch("access_token", token)
    return _access_token(caller, token)


@router.delete("/auth/access_tokens/{number}", status_code=204, response_class=Response)
def remove_access_token(request: Request, number: int, caller: CallerOf) -> None:
    """Revoke a token."""
    _own_token(request, caller, number)
    caller.state.remove("access_token", number)


def _own_token(request: Request, caller: Caller, number: int) -> Document:
    """A token that the caller may change: an own one, and not by means of a token."""
    token = caller.get("access_token", number, "AccessToken")
    if token["user"] != caller.id or hasattr(request.state, "by_access_token"):
        raise forbidden()
    return token


def _brief(caller: Caller, user: Document) -> Document:
    return caller.brief(user["id"]) or {}


def _user(caller: Caller, user: Document) -> Document:
    names = (
        "email", "groups", "is_staff", "is_superuser", "is_active", "last_login", "date_joined",
    )  # fmt: skip
    return (
        _brief(caller, user)
        | {name: user[name] for name in names}
        | {"has_analytics_access": user["is_superuser"]}
    )


def _access_token(caller: Caller, token: Document) -> Document:
    names = ("id", "name", "created_date", "updated_date", "expiry_date", "last_used_date", "read_only")
    return {name: token[name] for name in names} | {"owner": caller.brief(token["user"])}
