"""A release's card as the page shows it: its own pictures by address, and nothing that asks anybody else."""

from __future__ import annotations

import re
from typing import Final

from ava_ui import addresses

_PICTURE: Final = re.compile(r"!\[([^\[\]<>]*)\]\((plots/[A-Za-z0-9_-]+\.svg)\)")


def shown_card(text: str, release: str) -> str:
    """The Markdown with pictures of `plots/` led to the console's address, and headings below the page's own.

    Any other picture stays words, and so does HTML.
    """
    return "\n".join(_line(line, release) for line in text.splitlines())


def _line(line: str, release: str) -> str:
    if found := _PICTURE.fullmatch(line.strip()):
        return f"![{found[1]}]({addresses.release_picture(release, found[2])})"
    plain = line.replace("<", "&lt;").replace("![", "!&#91;")
    return f"##{plain}" if plain.startswith("#") else plain
