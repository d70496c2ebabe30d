"""A session on the annotation server: sign in, call, try again where that is safe, explain what went wrong.

A call that only reads, or that may be made twice without harm, is tried again while the server is busy, fails,
or loses its answer. A call that makes something is not: the server may have made it although its answer was
lost. `made_once` looks before every try instead.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from ava_core.annotation.password import embedded_password
from ava_core.annotation.refusal import reason_in, short
from ava_core.base.errors import CvatError, CvatLoginError, CvatUnreachableError
from ava_core.base.settings import Settings

PAGE_SIZE: Final = 500
POLL_SECONDS: Final = 0.2
TIMEOUT_SECONDS: Final = 60.0
API_KEY: Final = re.compile(r"[0-9a-f]{40}")
"""A user's API token, which goes by `Authorization: Token`; personal access tokens look otherwise."""
TRIES: Final = 5
BACKOFF_SECONDS: Final = 0.5
"""Wait before the second try; doubled before each further one."""
LONGEST_WAIT_SECONDS: Final = 120.0
"""CVAT's throttle lifts within a minute; a longer Retry-After is not waited for in one go."""

Made = TypeVar("Made")


class CvatBusyError(CvatError):
    """The server answered that it could not do it now (429) or that it failed (5xx); `wait` in seconds."""

    def __init__(self, message: str, cure: str = "", *, wait: float = 0.0, refused: bool = False) -> None:
        self.wait = min(wait, LONGEST_WAIT_SECONDS)
        self.refused = refused  # nothing was done: it may be asked again whatever it was
        super().__init__(message, cure)


class CvatMissingError(CvatError):
    """The server does not have what was asked for."""


class CvatLostError(CvatUnreachableError):
    """The connection broke, or the answer did: what was asked may have been done."""


TRANSIENT: Final = (CvatBusyError, CvatUnreachableError)
"""Errors after which the same may go well a moment later."""


class CvatSession:
    """Signed in as the platform's account. Use it in a `with` block, from one thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.url = settings.resolved_cvat_url
        self._client: Any = None

    def __enter__(self) -> Self:
        import urllib3
        from cvat_sdk.core.client import AccessTokenCredentials, Client, Config, PasswordCredentials

        with self._explained("sign in"):
            client = Client(
                self.url, check_server_version=False, config=Config(status_check_period=POLL_SECONDS)
            )
        pool = client.api_client.rest_client.pool_manager.connection_pool_kw
        pool["timeout"] = urllib3.Timeout(TIMEOUT_SECONDS)
        # Trying again is decided here, where it is known what a call does.
        pool["retries"] = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=3)
        token = self.settings.cvat_token.get_secret_value() if self.settings.cvat_token else ""
        if API_KEY.fullmatch(token):
            client.api_client.set_default_header("Authorization", f"Token {token}")
        elif token:
            client.login(AccessTokenCredentials(token))
        else:
            credentials = PasswordCredentials(self.settings.cvat_username, self._password())
            self._sign_in(client, credentials)
        self._client = client
        client.organization_slug = self.settings.cvat_organisation
        return self

    def _sign_in(self, client: Any, credentials: Any) -> None:
        def once() -> None:
            with self._explained("sign in"):
                client.login(credentials)

        tried_again(once, after=(CvatBusyError, CvatLostError))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not logged out: that would end the key of every other client of the same user.
        if self._client is not None:
            self._client.api_client.close()

    def _password(self) -> str:
        if self.settings.cvat_password is not None:
            return self.settings.cvat_password.get_secret_value()
        if self.settings.cvat_is_embedded:
            return embedded_password(self.settings.home_dir / "cvat")
        raise CvatLoginError(
            "No password or token is set for CVAT.", "Set AVA_CVAT_TOKEN, or AVA_CVAT_PASSWORD."
        )

    def _list(self, api: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a list, by id: what is added or changed meanwhile shifts no entry past the reader."""
        found: list[dict[str, Any]] = []
        number = 1
        while True:
            content = self._read(api, "list", page=number, page_size=PAGE_SIZE, sort="id", **query)
            found += content["results"]
            if not content["next"]:
                return found
            number += 1

    def _read(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        """A call that changes nothing, or that may be made twice; tried again. The body as plain JSON."""
        return tried_again(lambda: self._call(api, method, *arguments, **query))

    _rewrite = _read

    def _write(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        """A call that must not be made twice; tried again only where the server refused to begin."""
        return tried_again(
            lambda: self._call(api, method, *arguments, **query),
            when=lambda error: isinstance(error, CvatBusyError) and error.refused,
        )

    def _call(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        """One call. A session that ended meanwhile (a restart, a logout elsewhere) is begun again, once."""
        try:
            return self._ask(api, method, *arguments, **query)
        except CvatLoginError:
            if self.settings.cvat_token is not None:
                raise
            slug = self._client.organization_slug
            self._client.api_client.close()
            self.__enter__()
            self._client.organization_slug = slug
            return self._ask(api, method, *arguments, **query)

    def _ask(self, api: str, method: str, *arguments: Any, **query: Any) -> dict[str, Any]:
        with self._explained(f"{method} {api.removesuffix('_api')}", ours=True):
            function = getattr(getattr(self._client.api_client, api), method)
            _, response = function(*arguments, **query, _parse_response=False)
            content: dict[str, Any] = json.loads(response.data) if response.data else {}
            return content
        raise AssertionError("not reached")

    def _model(self, name: str) -> Callable[..., Any]:
        """A maker of the SDK's model of that name, which checks the values that it is given."""
        from cvat_sdk import models

        def make(*value: Any, **values: Any) -> Any:
            with self._explained(f"take such a {name.removesuffix('Request')}", ours=True):
                return getattr(models, name)(*value, **values)

        return make

    @contextmanager
    def _explained(self, what: str, *, ours: bool = False) -> Iterator[None]:
        """Turn the SDK's exceptions into errors for people.

        `ours`: only what is sent is checked in the block; else what does not fit is the server's answer.
        """
        import urllib3
        from cvat_sdk.core import exceptions as sdk
        from cvat_sdk.exceptions import ApiException, OpenApiException

        try:
            yield
        except ApiException as error:
            raise self._explain(what, error) from None
        except OpenApiException as error:
            if ours:
                raise CvatError(f"{self.url} cannot {what}: {short(error)}", "Correct that value.") from None
            raise self._unreadable(what) from None
        except (urllib3.exceptions.HTTPError, sdk.InvalidHostException, OSError) as error:
            cause = getattr(error, "reason", error)
            never_came = isinstance(cause, urllib3.exceptions.NewConnectionError | sdk.InvalidHostException)
            raise (CvatUnreachableError if never_came else CvatLostError)(
                f"The annotation server is not responding at {self.url} ({type(cause).__name__}).",
                "Start it (`ava up`), or check AVA_CVAT_URL.",
            ) from None
        except json.JSONDecodeError:
            raise self._unreadable(what) from None
        except (sdk.CvatSdkException, ValueError) as error:
            raise CvatError(f"{self.url} could not {what}: {reason_in(str(error))}") from None

    def _unreadable(self, what: str) -> CvatLostError:
        return CvatLostError(
            f"The answer of {self.url} to {what} cannot be read: it is truncated or not from CVAT.",
            "Check AVA_CVAT_URL and any proxy in between.",
        )

    def _explain(self, what: str, error: Any) -> Exception:
        reason = reason_in(error.body)
        said = f": {reason}" if reason else "."
        if error.status == 429:
            wait = _seconds((error.headers or {}).get("Retry-After"))
            return CvatBusyError(
                f"{self.url} is busy (429 for {what}).", "Try again later.", wait=wait, refused=True
            )
        if error.status >= 500:
            return CvatBusyError(
                f"{self.url} failed to {what} ({error.status}).", "Run it again; finished work is kept."
            )
        if error.status == 401 and self.settings.cvat_token is not None:
            return CvatLoginError(
                f"{self.url} does not accept the token of {self.settings.cvat_username!r}: "
                "it has expired, was revoked, or is wrong.",
                "Sign in again; where it is that of AVA_CVAT_TOKEN, make a new one.",
            )
        if error.status == 401 or (error.status == 400 and "Unable to log in" in reason):
            return CvatLoginError(
                f"{self.url} does not accept the credentials of {self.settings.cvat_username!r}.",
                "Check AVA_CVAT_TOKEN, or AVA_CVAT_USERNAME and AVA_CVAT_PASSWORD.",
            )
        if error.status == 403:
            return CvatError(
                f"{self.url} does not allow this account to {what}.", "Use an account with more rights."
            )
        if error.status == 404:
            return CvatMissingError(
                f"{self.url} found nothing to {what} (404){said}",
                "It was removed there, or AVA_CVAT_URL points to another server.",
            )
        return CvatError(f"{self.url} refused to {what} ({error.status}){said}")


def tried_again(
    call: Callable[[], Made],
    after: tuple[type[CvatError], ...] = TRANSIENT,
    when: Callable[[CvatError], bool] = lambda error: True,
) -> Made:
    """The call's answer, asked for `TRIES` times at most; waits as long as the server wishes, else ever longer."""
    for number in range(1, TRIES + 1):
        try:
            return call()
        except after as error:
            if number == TRIES or not when(error):
                raise
            pause(number, error)
    raise AssertionError("not reached")


def made_once(look: Callable[[], Made | None], make: Callable[[], Made]) -> Made:
    """What `look` finds, else what `make` makes; after an answer that was lost it is looked for first."""

    def once() -> Made:
        found = look()
        return make() if found is None else found

    return tried_again(once)


def pause(number: int, error: CvatError) -> None:
    """Wait after the try of that number."""
    asked = error.wait if isinstance(error, CvatBusyError) else 0.0
    time.sleep(asked or BACKOFF_SECONDS * 2 ** (number - 1))


def _seconds(header: str | None) -> float:
    """Retry-After in seconds; CVAT gives no dates."""
    return float(header) if header and header.strip().isdigit() else 0.0
