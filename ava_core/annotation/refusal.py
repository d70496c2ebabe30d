"""What the annotation server said when it refused, as a sentence: objects, lists, text and web pages come from it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, Final

LONGEST: Final = 300
"""Characters of an answer that are shown."""

GENERAL: Final = frozenset({"detail", "non_field_errors", "message"})
"""Fields of a refusal that are about no field of what was sent."""

PAGE: Final = re.compile(r"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
UNSEEN: Final = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
HEADLINE: Final = re.compile(r"<(h1|title)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
TAG: Final = re.compile(r"<[^>]*>")


def reason_in(body: bytes | str | None) -> str:
    """The reason that an answer gives, on one line and without markup; "" where it gives none.

    >>> reason_in(b'{"email": ["Enter a valid email address."], "role": ["Unknown."]}')
    'email: Enter a valid email address. role: Unknown.'
    >>> reason_in("<!doctype html><html><head><title>Not Found</title></head><body><p>No such page</p></body></html>")
    'Not Found'
    """
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        found = list(_sentences(json.loads(text)))
    except (ValueError, RecursionError):
        found = [_of_page(text) if PAGE.match(text) else text]
    return short(" ".join(found))


def short(text: object) -> str:
    """The beginning of a text on one line."""
    return " ".join(str(text).split())[:LONGEST]


def _sentences(said: Any, field: str = "") -> Iterator[str]:
    """Every text in a refusal, after the names of the fields that it is about."""
    if isinstance(said, dict):
        for name, inner in said.items():
            yield from _sentences(inner, field if name in GENERAL else f"{field}.{name}".lstrip("."))
    elif isinstance(said, list):
        for inner in said:
            yield from _sentences(inner, field)
    elif said not in (None, ""):
        yield f"{field}: {said}" if field else str(said)


def _of_page(page: str) -> str:
    """The headline of a web page, else its text."""
    headline = HEADLINE.search(page)
    return html.unescape(TAG.sub(" ", headline[2] if headline else UNSEEN.sub(" ", page)))
