"""Tables of which address answers whom: made by asking a server at each of its routes, and kept in `docs/doors.md`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs" / "doors.md"
WORDS = {401: "sign in", 403: "no", 404: "hidden"}
"""What a status says of a door; with any other the call was let in, whatever became of it."""

Door = tuple[str, str]
"""Method and path as the server's own list of routes has them."""


def doors_of(routes: Iterable[Any], above: str = "") -> Iterator[Door]:
    """All methods and paths of an application, from its own list; a folder that is served stands as `…/*`."""
    for route in routes:
        inner = getattr(route, "original_router", None)  # how FastAPI keeps what was included
        if inner is not None:
            yield from doors_of(inner.routes, above)
        elif getattr(route, "routes", None):
            yield from doors_of(route.routes, above + route.path)
        elif hasattr(route, "methods"):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield method, above + route.path
        else:
            socket = type(route).__name__ == "WebSocketRoute"
            yield ("websocket" if socket else "GET"), above + route.path + ("" if socket else "/*")


def word(status: int) -> str:
    """What an answer's status says of the door."""
    return WORDS.get(status, "in")


def table(answers: Mapping[Door, Sequence[str]], callers: Sequence[str]) -> str:
    """As Markdown, a line a door, by path; doors of one path that answer alike share a line."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (method, path), said in answers.items():
        alike.setdefault((path, tuple(said)), []).append(method)
    lines = [
        f"| `{path}` | {', '.join(sorted(methods))} | {' | '.join(said)} |"
        for (path, said), methods in sorted(alike.items())
    ]
    return "\n".join([f"| path | by | {' | '.join(callers)} |", "|---" * (len(callers) + 2) + "|", *lines])


def must_be_written(heading: str, found: str, folder: Path) -> None:
    """Fail where the page's section does not hold this table; what it should hold then lies in `folder`."""
    section = DOCS.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    written = "\n".join(line for line in section.splitlines() if line.startswith("|"))
    if written != found:
        correct = folder / "doors.md"
        correct.write_text(found + "\n")
        differing = sorted(set(written.splitlines()) ^ set(found.splitlines()))
        raise AssertionError(
            f"docs/doors.md says something else under {heading!r}; should it be so, {correct} is what belongs "
            "there. It differs in\n" + "\n".join(differing)
        )
