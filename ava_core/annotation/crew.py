"""Annotators come and go: their accounts are made, taken in, shut out and given new passwords.

The embedded server does all of it. A real CVAT takes people in; its accounts are its administrators', so for the rest
an error says what to do there.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from ava_core.annotation.gateway import CvatGateway
from ava_core.base.errors import InputError
from ava_core.base.settings import Settings
from ava_core.store import Store, annotators, labellers

SHORTEST_NAME: Final = 5
LONGEST_NAME: Final = 150
"""Letters of a name with which CVAT lets an account be made."""

NAME_RULE: Final = f"{SHORTEST_NAME} to {LONGEST_NAME} letters, digits and . @ + - _, without spaces."

PASSWORD_BYTES: Final = 12
"""Of chance in a password that is drawn: 16 characters."""


def add_annotator(settings: Settings, store: Store, name: str, *, email: str = "", password: str = "") -> str:
    """Give somebody work from the next batch on; returns the password that was drawn for a new account, else "".

    A member of the organisation is taken as is, somebody with an account is taken in, and else an account is made:
    with a password that is given or drawn, over a real CVAT only where `email` is given. Raises `InputError` for a
    name that no account can have, and where CVAT needs something first.
    """
    drawn = ""
    with CvatGateway(settings) as gateway:
        gateway.ensure_organisation()
        number = gateway.members().get(name)
        if number is None and gateway.account(name):
            number = gateway.invite(name, email)
        elif number is None:
            check_name(name)
            if not email and not settings.cvat_is_embedded:
                raise InputError(
                    f"{name!r} is not a member of organisation {settings.cvat_organisation!r} on "
                    f"{gateway.url}.",
                    f"Give their e-mail address to create an account, or ask them to register at "
                    f"{gateway.url} and add them again.",
                )
            drawn = "" if password else secrets.token_urlsafe(PASSWORD_BYTES)
            number = gateway.register_annotator(name, password or drawn, email or _no_address())
        elif settings.cvat_is_embedded and name != gateway.whoami()["username"]:
            gateway.set_account(number, is_active=True)
    annotators.put(store, name, cvat_user_id=number, email=email)
    return drawn


def check_name(name: str) -> None:
    """Raise `InputError` for a name with which no account can be made."""
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise InputError(f"The name {name!r} has {len(name)} characters.", f"A name has {NAME_RULE}")
    if not re.fullmatch(r"[\w.@+-]+", name):
        raise InputError(f"The name {name!r} contains invalid characters.", f"A name has {NAME_RULE}")


def set_active(settings: Settings, store: Store, name: str, *, active: bool) -> None:
    """Shut an annotator out, or let one in again; what was done is kept.

    On the embedded server the account is shut out, too. Over a real CVAT the person gets no work and cannot sign in
    at the console; the account is CVAT's.
    """
    if settings.cvat_is_embedded:
        with CvatGateway(settings) as gateway:
            gateway.set_account(_account(gateway, name)["id"], is_active=active)
    annotators.set_state(store, name, active=active)
    labellers.end_all(store, name)


def reset_password(settings: Settings, store: Store, name: str) -> str:
    """Draw a new password for an account of the embedded server, and return it; ends all sessions of the person.

    Raises `InputError` over a real CVAT, and says how it is done there.
    """
    if not settings.cvat_is_embedded:
        raise InputError(*password_there(settings))
    drawn = secrets.token_urlsafe(PASSWORD_BYTES)
    with CvatGateway(settings) as gateway:
        gateway.set_password(_account(gateway, name)["id"], drawn)
    labellers.end_all(store, name)
    return drawn


def password_there(settings: Settings) -> tuple[str, str]:
    """Why passwords are not reset here over a real CVAT, and what to do."""
    url = settings.resolved_cvat_url
    return (
        f"Passwords are those of the accounts on {url}.",
        f"Ask them to use “Forgot your password?” there, or an administrator of CVAT to set a new one at "
        f"{url}/admin.",
    )


def _account(gateway: CvatGateway, name: str) -> dict[str, Any]:
    """An annotator's account. Raises `InputError` for one that is gone, and for the platform's own."""
    found = gateway.account(name)
    if found is None:
        raise InputError(f"{gateway.url} no longer has an account {name!r}.", "Add the annotator again.")
    if found["is_superuser"]:
        raise InputError(
            f"{name!r} is an administrator of the annotation server.",
            "Change this account on the server itself.",
        )
    return found


def _no_address() -> str:
    """An e-mail address that leads nowhere, since accounts are invited by theirs."""
    return f"{secrets.token_hex(8)}@annotators.invalid"
