"""How a check says what is wrong."""

from __future__ import annotations

from ava_core.base.errors import AvaError


class BrokenContractError(AvaError):
    """An extension does not keep to its contract; the message says where."""


def demand(holds: bool, message: str) -> None:
    """Raise `BrokenContractError` with `message` unless it holds."""
    if not holds:
        raise BrokenContractError(message)
