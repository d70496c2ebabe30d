"""How long sessions, keys and personal access tokens are good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from ava_core.annotation_server.state import Document, State, timestamp

SESSION_LIFETIME: Final = timedelta(days=14)
"""How long a session lasts."""
KEY_LIFETIME: Final = SESSION_LIFETIME
"""How long a user's key is good after the last sign-in by a password: each sign-in opens a session of its own."""
UNUSED_LIFETIME: Final = timedelta(days=365)
"""A personal access token that nobody has used for so long is good no more, as CVAT has it."""
USE_NOTED_EVERY: Final = timedelta(hours=1)
"""The last use of a token is written no more often than this."""


def session_has_ended(session: Document) -> bool:
    """Whether a session is over."""
    return _age(session["created_date"]) > SESSION_LIFETIME


def key_has_expired(key: Document) -> bool:
    """Whether a key's time is over: sign-ins renew its date of change."""
    return _age(key["updated_date"]) > KEY_LIFETIME


def token_has_expired(token: Document) -> bool:
    """Whether a personal access token's time is over: its date has come, or nobody used it for long."""
    expiry = token.get("expiry_date")
    dated = expiry is not None and datetime.fromisoformat(expiry) < datetime.now(UTC)
    return dated or _age(token["last_used_date"] or token["created_date"]) > UNUSED_LIFETIME


def used(state: State, token: Document) -> Document:
    """A personal access token that is used now, which is no change of it."""
    last = token["last_used_date"]
    if last is None or _age(last) > USE_NOTED_EVERY:
        token = token | {"last_used_date": timestamp()}
        state.put("access_token", token)
    return token


def _age(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment)
