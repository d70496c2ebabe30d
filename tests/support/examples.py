"""How many examples Hypothesis tries: what a test says in the usual run, ten times as many at night."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

USUAL, NIGHTLY = "ci", "nightly"
AS_USUAL = 100
"""Examples of the profile `ci`, of which every other number is a share."""
MORE_AT_NIGHT = 10


def register_profiles() -> None:
    """`--hypothesis-profile` chooses one; `ci` holds where nothing is said."""
    settings.register_profile(USUAL, max_examples=AS_USUAL, deadline=None)
    settings.register_profile(NIGHTLY, max_examples=MORE_AT_NIGHT * AS_USUAL, deadline=None)
    settings.load_profile(USUAL)


def examples(usual: int, **others: Any) -> settings:
    """So many examples in the usual run, and as many more in another profile as that has more than `ci`."""
    return settings(max_examples=max(1, usual * settings().max_examples // AS_USUAL), **others)
