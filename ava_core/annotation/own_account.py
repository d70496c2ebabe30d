"""One person alone: an admin of the console labels, too, by an account of the embedded server that is theirs.

Its password is drawn from the server's own and kept nowhere, so that a sign-in at the console is one there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Final

from ava_core.annotation.crew import LONGEST_NAME, SHORTEST_NAME, add_annotator
from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.labeller import key_by_password
from ava_core.annotation.password import embedded_password
from ava_core.base.errors import AvaError, CvatError, InputError, SignInError
from ava_core.base.settings import Settings
from ava_core.store import Store, annotators, labellers, users
from ava_core.store.tables import User

LABELS_AS: Final = "labels_as"
"""The preference in which a user of the console keeps the name by which they label."""


def label_yourself(settings: Settings, store: Store, token: str) -> str:
    """Let the admin of a console session label in it; returns the name by which they do.

    Their account is made where there is none, and gets work from then on. Raises `SignInError` for a session that is
    no admin's, `InputError` over a real CVAT.
    """
    user = users.who(store, token)
    if user is None or user.role != "admin":
        raise SignInError("Only admins can create their own account.", "Ask an admin to add you on People.")
    if not settings.cvat_is_embedded:
        raise InputError(
            f"Accounts are those of {settings.resolved_cvat_url}.",
            "Add yours on the People page, then sign in with it to label.",
        )
    name = own_name(user) or _free_name(settings, user.username)
    add_annotator(settings, store, name, password=_secret(settings, name))
    users.set_preference(store, user.username, **{LABELS_AS: name})
    _open(settings, store, token, name)
    return name


def label_again(settings: Settings, store: Store, token: str) -> None:
    """After a sign-in: let somebody who has labelled before label in this session, too, where the server answers."""
    user = users.who(store, token)
    name = own_name(user) if user is not None else ""
    if (
        name
        and settings.cvat_is_embedded
        and any(one.username == name and one.active for one in annotators.everyone(store))
    ):
        with suppress(AvaError):  # the page of own work has a button that does it later
            _open(settings, store, token, name)


def own_name(user: User) -> str:
    """The name by which a user of the console labels; "" for who does not."""
    return str(user.preferences.get(LABELS_AS, ""))


def _open(settings: Settings, store: Store, token: str, name: str) -> None:
    secret = _secret(settings, name)
    key = key_by_password(settings, name, secret)
    with CvatGateway(settings) as gateway:
        account = gateway.account(name)
        if account is None:
            raise CvatError(
                f"{gateway.url} no longer has an account {name!r}.", "Choose “Label yourself” on Your work."
            )
        if not key:  # somebody gave it another password, or the server has another one itself
            gateway.set_password(account["id"], secret)
            key = key_by_password(settings, name, secret)
    labellers.join(store, token, name, int(account["id"]), key)


def _secret(settings: Settings, name: str) -> str:
    given = settings.cvat_password
    key = given.get_secret_value() if given else embedded_password(settings.home_dir / "cvat")
    return hmac.new(key.encode(), f"labels as {name}".encode(), hashlib.sha256).hexdigest()


def _free_name(settings: Settings, username: str) -> str:
    """The user's own name, or one like it: an account that is there already is somebody else's."""
    with CvatGateway(settings) as gateway:
        return next(name for name in _names(username) if gateway.account(name) is None)


def _names(username: str) -> Iterator[str]:
    plain = re.sub(r"[^\w.@+-]+", "-", username)[: LONGEST_NAME - 12]
    if len(plain) >= SHORTEST_NAME:
        yield plain
    yield f"{plain}.labels"
    yield from (f"{plain}.labels{number}" for number in count(2))
