"""A visit to a page: who looks, at what, and what that person may do there."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from ava_core.base.errors import AvaError, SignInError
from ava_core.store import audit_log, labellers, users
from ava_core.store.tables import User
from ava_ui.known.console import Console


@dataclass(frozen=True)
class Visit:
    """One page load. `params` come from the path, `query` from behind the question mark."""

    console: Console
    user: User
    token: str
    path: str
    params: dict[str, str]
    query: dict[str, str]

    def may(self, role: users.Role) -> bool:
        """Whether the person has that role, or a higher one."""
        return users.RANKS.index(self.user.role) >= users.RANKS.index(role)

    def number(self, name: str) -> int:
        """A whole number of the query; 0 where there is none."""
        return _number(self.query.get(name, ""))

    def number_in_path(self, name: str) -> int:
        """A whole number of the path; 0 where there is none, which no id is."""
        return _number(self.params[name])

    @property
    def draft(self) -> str:
        """What this person has typed at this address and not sent yet."""
        return self.console.unsent.get((self.user.username, self.path), "")

    def keep_draft(self, text: str) -> None:
        """Keep it over a reload; an empty one is forgotten."""
        key = self.user.username, self.path
        if text:
            self.console.unsent[key] = text
        else:
            self.console.unsent.pop(key, None)

    def action(self, role: users.Role, function: Callable[..., Any]) -> Callable[..., Awaitable[None]]:
        """An event handler for people of that role: asks for the session anew, and says what went wrong.

        A page may stay open long after its session ended or its owner's role changed.
        """

        async def handler(*arguments: Any) -> None:
            try:
                await asyncio.to_thread(self._check, role)
                result = function(*arguments)
                if inspect.isawaitable(result):
                    await result
            except AvaError as error:
                _say(str(error))
            except Exception:  # whatever breaks, the person who clicked is told
                logging.getLogger(__name__).exception("%s of %s failed", function, self.path)
                _say("Something went wrong and the action stopped. See the console's log (HOME/logs).")

        return handler

    async def note(self, action: str, subject: str = "", **detail: Any) -> None:
        """Write a line of the audit log in this person's name."""
        await asyncio.to_thread(
            audit_log.note, self.console.store, self.user.username, action, subject, **detail
        )

    def _check(self, role: users.Role) -> None:
        now = labellers.anybody(self.console.store, self.token)
        if now is None:
            raise SignInError("Your session has expired; nothing was changed.", "Sign in again.")
        if users.RANKS.index(now.role) < users.RANKS.index(role):
            raise SignInError(f"Only {role}s can do this.", "Ask an admin.")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _say(problem: str) -> None:
    ui.notify(problem, type="negative", multi_line=True, timeout=10_000, close_button="Close")
