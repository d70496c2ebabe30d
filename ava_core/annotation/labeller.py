"""A person who labels, as the annotation server knows them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from ava_core.annotation.gateway import CvatGateway
from ava_core.annotation.session import TIMEOUT_SECONDS
from ava_core.base.errors import CvatLoginError, CvatUnreachableError
from ava_core.base.settings import Settings
from ava_core.store import Store, labellers, sign_in_tries, users
from ava_core.store.tables import now


@dataclass(frozen=True)
class Labeller:
    """An account of the annotation server, and the token with which the platform acts in its name."""

    user_name: str
    user_id: int
    token: str = field(repr=False)

    def connect(self, settings: Settings) -> CvatGateway:
        """A session as this person; use it in a `with` block."""
        own = {"cvat_username": self.user_name, "cvat_token": SecretStr(self.token), "cvat_password": None}
        return CvatGateway(settings.model_copy(update=own))


def sign_in_anybody(
    settings: Settings, store: Store, username: str, password: str, *, source: str = ""
) -> str:
    """Let a person of the console in, else an annotator; returns the session's token.

    An annotator signs in with the account of the annotation server: its password, or one of its access tokens.
    `source` is the network address that it comes from. Raises `SignInError` where it is wrong, without saying whether
    the name or the password was, or was tried too often.
    """
    name, moment = username.strip(), now()
    sign_in_tries.take(store, source, name, moment)
    token = users.enter(store, name, password, moment) or _enter(settings, store, name, password)
    if token is None:
        raise users.refused(store, name)
    sign_in_tries.right(store, source, name)
    return token


def _enter(settings: Settings, store: Store, name: str, secret: str) -> str | None:
    if not labellers.is_active(store, name):
        return None
    labeller = _known_to_server(settings, name, secret)
    return labellers.begin(store, name, labeller.user_id, labeller.token) if labeller else None


def _known_to_server(settings: Settings, name: str, secret: str) -> Labeller | None:
    """The account, where the annotation server takes the secret as its password or as its token."""
    for token in (key_by_password(settings, name, secret), secret):
        if not token:
            continue
        labeller = Labeller(name, 0, token)
        try:
            with labeller.connect(settings) as gateway:
                account = gateway.whoami()
        except CvatLoginError:
            continue
        if account["username"] == name:
            return Labeller(name, int(account["id"]), token)
    return None


def key_by_password(settings: Settings, name: str, password: str) -> str:
    """The key that the annotation server gives for a password; "" where it refuses it."""
    import httpx

    url = settings.resolved_cvat_url
    try:
        answer = httpx.post(
            f"{url}/api/auth/login", json={"username": name, "password": password}, timeout=TIMEOUT_SECONDS
        )
        return str(answer.json().get("key", "")) if answer.status_code == 200 else ""
    except (httpx.HTTPError, ValueError):
        raise CvatUnreachableError(
            f"The annotation server is not responding at {url}.", "Try again soon, or tell an admin."
        ) from None
