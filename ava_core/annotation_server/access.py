"""Who calls, for which organisation, and what they may do."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, Request

from ava_core.annotation_server.answers import MEDIA_TYPE
from ava_core.annotation_server.lifetimes import (
    key_has_expired,
    session_has_ended,
    token_has_expired,
    used,
)
from ava_core.annotation_server.problems import Problem, forbidden, missing_object, not_found, refused
from ava_core.annotation_server.state import Document, State, timestamp

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
MANAGERS = ("owner", "maintainer", "supervisor")
"""Roles in an organisation whose holders make and change its objects."""
LEADERS = ("owner", "maintainer")
"""Roles in an organisation whose holders choose its members and its webhooks."""
CREATORS = frozenset({"admin", "business", "user"})
"""Groups of the server whose users make objects; those of group `worker` alone do not."""
ACCEPTED = frozenset({"*/*", "application/*", "application/json", MEDIA_TYPE})
API_VERSION = "2.0"
MAX_SESSIONS = 50
"""Sessions of a user that are kept: clients sign in and do not sign out."""
WITHOUT_MEMBERSHIP = ("/api/users/self", "/api/organizations", "/api/auth/")
"""Paths that a user may call in the name of an organisation that he is no member of."""


@dataclass(frozen=True)
class Caller:
    """The user who calls, and the organisation that the call is about.

    `everywhere`: the call names no organisation and is about whatever the user sees; else `None` as organisation
    means what lies outside all organisations. `in_background`: the call is answered and work for it goes on; what
    is told of it then shows no addresses of the server and no names of projects.
    """

    state: State
    user: Document
    organisation: Document | None
    everywhere: bool
    base: str
    in_background: bool = False

    @property
    def id(self) -> int:
        """The user's id."""
        return int(self.user["id"])

    @property
    def is_admin(self) -> bool:
        """Whether the user may do everything."""
        return bool(self.user["is_superuser"])

    def behind(self) -> Caller:
        """The same caller, for work that goes on after the answer."""
        return replace(self, base="", in_background=True)

    @cached_property
    def roles(self) -> dict[int, str]:
        """The user's role in each organisation that the user is a member of."""
        memberships = self.state.find("membership", user=self.id, is_active=True)
        return {m["organization"]: m["role"] for m in memberships}

    def manages(self, document: Document) -> bool:
        """Whether the user may see and change an object whoever works on it."""
        number = document["organization"]
        if self.is_admin:
            return True
        return document.get("owner") == self.id if number is None else self.roles.get(number) in MANAGERS

    def leads(self, number: int | None) -> bool:
        """Whether the user chooses members and webhooks of an organisation."""
        return self.is_admin or self.roles.get(number or 0) in LEADERS

    def sees_names(self, document: Document) -> bool:
        """Whether the names of an object's task and project are shown."""
        return not self.in_background and self.manages(document)

    def must_manage(self, document: Document) -> None:
        """Refuse who does not manage the object."""
        if not self.manages(document):
            raise forbidden()

    def may_do(self, job: Document) -> bool:
        """Whether the user manages the job or is its assignee, and still a member of its organisation."""
        own = job["assignee"] == self.id and (
            job["organization"] is None or job["organization"] in self.roles
        )
        return own or self.manages(job)

    def must_create(self) -> int | None:
        """The id of the organisation in which the user may make objects now; refuses who may not."""
        number = self.organisation["id"] if self.organisation else None
        allowed = bool(set(self.user["groups"]) & CREATORS) and (
            number is None or self.roles.get(number) in MANAGERS
        )
        if not allowed and not self.is_admin:
            raise forbidden()
        return number

    def sees(self, document: Document) -> bool:
        """Whether an object lies in the organisation of the call."""
        wanted = self.organisation["id"] if self.organisation else None
        return self.everywhere or document.get("organization") == wanted

    def get(self, kind: str, number: int, name: str) -> Document:
        """An object by id; refuses an unknown one."""
        document = self.state.get(kind, number)
        if document is None:
            raise not_found(name)
        return document

    def must_exist(self, field: str, user_id: int | None) -> None:
        """Refuse a field that names a user who is not there."""
        if user_id is not None and self.state.get("user", user_id) is None:
            raise missing_object(field, user_id)

    def brief(self, user_id: int | None) -> Document | None:
        """A user as other objects show them."""
        user = self.state.get("user", user_id)
        if user is None:
            return None
        names = ("id", "username", "first_name", "last_name")
        return {"url": f"{self.base}/api/users/{user['id']}"} | {name: user[name] for name in names}


def hash_password(password: str) -> str:
    """Argon2 hash."""
    return _hasher.hash(password)


@lru_cache(maxsize=256)
def _matches(password_hash: str, password: str) -> bool:
    # Remembered, since basic authentication repeats the same password with every request.
    try:
        return _hasher.verify(password_hash, password)
    except VerifyMismatchError:
        return False


def check_password(state: State, username: str, password: str) -> Document | None:
    """The user of that name and password, or `None`."""
    user = next(state.find("user", username=username, is_active=True), None)
    return user if user is not None and _matches(user["password"], password) else None


def start_session(state: State, user: Document) -> tuple[str, str]:
    """The user's key, good for longer now or made where there is no good one, and a new session id."""
    with state.lock:
        token = next(state.find("token", user=user["id"]), None)
        if token is not None and key_has_expired(token):
            state.remove("token", token["id"])
            token = None
        if token is None:
            token = state.add("token", user=user["id"], key=secrets.token_hex(20))
        else:
            state.touch("token", token)
        session = state.add("session", user=user["id"], key=secrets.token_urlsafe(24))
        for old in list(state.find("session", user=user["id"]))[MAX_SESSIONS:]:
            state.remove("session", old["id"])
        user["last_login"] = timestamp()
        state.put("user", user)
    return token["key"], session["key"]


def authenticate(request: Request) -> Document | None:
    """The user by Basic, Token, Bearer or session cookie; `None` without any; refuses wrong ones."""
    state: State = request.app.state.store
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind == "Basic":
        return _basic(state, value)
    if kind == "Token":
        return _credential(state, "token", value, key_has_expired)[1]
    if kind == "Bearer":
        return _by_access_token(request, state, value)
    session = next(state.find("session", key=request.cookies.get("sessionid", "")), None)
    if session is None or session_has_ended(session):
        return None
    user = state.get("user", session["user"])
    return user if user and user["is_active"] else None


def end_sessions(state: State, user: Document) -> None:
    """End all sessions of a user, and his key."""
    for kind in ("session", "token"):
        for document in list(state.find(kind, user=user["id"])):
            state.remove(kind, document["id"])


def _by_access_token(request: Request, state: State, value: str) -> Document:
    token, user = _credential(state, "access_token", value, token_has_expired)
    if token["read_only"] and request.method not in ("GET", "HEAD", "OPTIONS"):
        raise forbidden()
    request.state.by_access_token = used(state, token)
    return user


def _credential(
    state: State, kind: str, value: str, has_expired: Callable[[Document], bool]
) -> tuple[Document, Document]:
    """A key or token that is good, and its user."""
    found = next(state.find(kind, key=value), None)
    user = state.get("user", found["user"]) if found else None
    if found is None or user is None or not user["is_active"] or has_expired(found):
        raise Problem(401, {"detail": "Invalid token."}, {"WWW-Authenticate": "Token"})
    return found, user


def _basic(state: State, value: str) -> Document:
    try:
        username, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        username = password = ""
    user = check_password(state, username, password)
    if user is None:
        raise Problem(401, {"detail": "Invalid username/password."}, {"WWW-Authenticate": "Token"})
    return user


def _organisation(request: Request, state: State) -> tuple[Document | None, bool]:
    """The organisation that a call names, and whether it names none."""
    query, header = request.query_params.get("org"), request.headers.get("X-Organization")
    if query and header and query != header:
        raise refused(
            'You cannot specify "org" query parameter and "X-Organization" HTTP header with different values.'
        )
    slug = query or header
    if slug:
        found = next(state.find("organization", slug=slug), None)
        if found is None:
            raise Problem(404, {"detail": f"{slug} organization does not exist."})
        return found, False
    number = request.query_params.get("org_id", "")
    if number.isdecimal():
        found = state.get("organization", int(number))
        if found is None:
            raise Problem(404, {"detail": f"{number} organization does not exist."})
        return found, False
    return None, query is None and header is None


def caller(request: Request) -> Caller:
    """The caller of a request; refuses who is not known, and who wants another format than JSON."""
    _check_accept(request)
    user = authenticate(request)
    if user is None:
        headers = {"WWW-Authenticate": "Token"}
        raise Problem(401, {"detail": "Authentication credentials were not provided."}, headers)
    state: State = request.app.state.store
    organisation, everywhere = _organisation(request, state)
    known = Caller(state, user, organisation, everywhere, base_url(request))
    is_stranger = organisation and not known.is_admin and organisation["id"] not in known.roles
    if is_stranger and not request.url.path.startswith(WITHOUT_MEMBERSHIP):
        raise forbidden()
    return known


def _check_accept(request: Request) -> None:
    """Pictures are given whatever is asked for; all else is JSON."""
    header = request.headers.get("Accept", "*/*")
    if request.url.path.endswith(("/data", "/data/", "/preview")):
        return
    for wanted in header.split(","):
        kind, *parameters = (part.strip() for part in wanted.split(";"))
        versions = [part.partition("=")[2] for part in parameters if part.startswith("version=")]
        if kind in ACCEPTED:
            if versions and versions != [API_VERSION]:
                raise Problem(406, {"detail": 'Invalid version in "Accept" header.'})
            return
    raise Problem(406, {"detail": "Could not satisfy the request Accept header."})


def base_url(request: Request) -> str:
    """The server's own address, as the caller wrote it."""
    return str(request.base_url).rstrip("/")


CallerOf = Annotated[Caller, Depends(caller)]
