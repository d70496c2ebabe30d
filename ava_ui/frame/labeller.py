"""The annotation server's account in whose name the person at this page labels."""

from __future__ import annotations

from typing import Any

from ava_core.annotation.labeller import Labeller


def signed_in_labeller(state: Any) -> Labeller | None:
    """Of a request's `state`; `None` where nobody with an account of the annotation server is signed in."""
    found: Labeller | None = getattr(state, "labeller", None)
    return found
