"""Login, registration, users, access tokens."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request, Response

from ava_core.annotation_server.access import (
    Body,
    Caller,
    CallerOf,
    authenticate,
    check_password,
    has_expired,
    hash_password,
    start_session,
)
from ava_core.annotation_server.answers import CvatJSON
from ava_core.annotation_server.lists import page
from ava_core.annotation_server.problems import Problem, forbidden, invalid
from ava_core.annotation_server.state import Document, State, timestamp

router = APIRouter(prefix="/api")

MIN_NAME, MIN_PASSWORD = 5, 8


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
    user = check_password(state, str(body.get("username", "")), str(body.get("password", "")))
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
    state: State = request.app.state.store
    user = authenticate(request)
    for kind in ("session", "token"):
        for document in list(state.find(kind, user=user["id"])) if user else ():
            state.remove(kind, document["id"])
    return {"detail": "Successfully logged out."}


@router.post("/auth/register", status_code=201)
def register(request: Request, body: Body) -> Document:
    """Make an account of one's own."""
    state: State = request.app.state.store
    username, password = str(body.get("username", "")), str(body.get("password1", ""))
    if len(username) < MIN_NAME:
        raise invalid("username", f"Ensure this field has at least {MIN_NAME} characters.")
    if len(password) < MIN_PASSWORD:
        sentence = f"This password is too short. It must contain at least {MIN_PASSWORD} characters."
        raise Problem(400, {"password1": [sentence], "password2": [sentence]})
    if password != body.get("password2"):
        raise Problem(400, {"non_field_errors": ["The two password fields didn't match."]})
    with state.lock:
        if next(state.find("user", username=username), None):
            raise invalid("username", "A user with that username already exists.")
        names = (str(body.get("first_name", "")), str(body.get("last_name", "")))
        user = add_user(state, username, password, email=str(body.get("email", "")), names=names)
    key, _ = start_session(state, user)
    shown = {name: user[name] for name in ("username", "email", "first_name", "last_name")}
    return shown | {"email_verification_required": False, "key": key}


@router.get("/users/self")
def own_user(caller: CallerOf) -> Document:
    """The caller."""
    return _user(caller, caller.user)


@router.get("/users")
def users(request: Request, caller: CallerOf) -> Document:
    """All users; within an organisation its members."""
    found: Any = caller.state.all("user")
    if caller.organisation:
        members = caller.state.find("membership", organization=caller.organisation["id"], is_active=True)
        ids = {m["user"] for m in members}
        found = [user for user in found if user["id"] in ids]
    elif not caller.is_admin:
        found = [caller.user]
    fields = {
        name: (lambda d, n=name: d[n]) for name in ("id", "username", "first_name", "last_name", "email")
    }
    names = ("username", "first_name", "last_name")
    return page(request, found, lambda d: _user(caller, d), fields=fields, search=names, simple=names)


@router.get("/users/{number}")
def user(number: int, caller: CallerOf) -> Document:
    """One user; others in short for who is no administrator."""
    found = caller.get("user", number, "User")
    if caller.is_admin or number == caller.id:
        return _user(caller, found)
    brief = caller.brief(number)
    assert brief is not None
    return brief


@router.patch("/users/{number}")
def change_user(number: int, caller: CallerOf, body: Body) -> Document:
    """Change groups, names, or whether the account is active."""
    found = caller.get("user", number, "User")
    if not caller.is_admin:
        raise forbidden()
    for name in ("groups", "first_name", "last_name", "email", "is_active"):
        found[name] = body.get(name, found[name])
    caller.state.put("user", found)
    return _user(caller, found)


@router.post("/auth/access_tokens", status_code=201)
def add_access_token(request: Request, caller: CallerOf, body: Body) -> Document:
    """Make a personal access token; its value is shown this once. A token cannot make tokens."""
    if hasattr(request.state, "by_access_token"):
        raise forbidden()
    token = caller.state.add(
        "access_token",
        user=caller.id,
        name=str(body.get("name", "")),
        key=secrets.token_urlsafe(30),
        read_only=bool(body.get("read_only", True)),
        expiry_date=body.get("expiry_date"),
        last_used_date=None,
    )
    return _access_token(caller, token) | {"value": token["key"]}


@router.get("/auth/access_tokens")
def access_tokens(request: Request, caller: CallerOf) -> Document:
    """The caller's tokens that are still good."""
    valid = (t for t in caller.state.find("access_token", user=caller.id) if not has_expired(t))
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
    for name in ("name", "expiry_date", "read_only"):
        token[name] = body.get(name, token[name])
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


def _user(caller: Caller, user: Document) -> Document:
    brief = caller.brief(user["id"])
    assert brief is not None
    names = (
        "email", "groups", "is_staff", "is_superuser", "is_active", "last_login", "date_joined",
    )  # fmt: skip
    return brief | {name: user[name] for name in names} | {"has_analytics_access": user["is_superuser"]}


def _access_token(caller: Caller, token: Document) -> Document:
    names = ("id", "name", "created_date", "updated_date", "expiry_date", "last_used_date", "read_only")
    return {name: token[name] for name in names} | {"owner": caller.brief(token["user"])}
