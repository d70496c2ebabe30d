"""Finding what installed packages add: detectors, layouts, rules and ontologies, by entry points.

A package names what it adds in its `pyproject.toml`; nothing of it is imported before it is asked for by name.

    [project.entry-points."ava.detectors"]
    yard = "my_package.detector:make"
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal, get_args

from ava_core.base.errors import PluginError

Kind = Literal["detectors", "layouts", "rules", "ontologies"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
GROUP: Final = "ava."
"""Before the kind, it names the group of entry points."""


def plugin_names(kind: Kind) -> list[str]:
    """Names that installed packages add; nothing is imported."""
    return sorted({point.name for point in _points(kind)})


def load_plugin(kind: Kind, name: str) -> Any:
    """The object that a package adds by that name, `None` where none does.

    Raises `PluginError` naming the package where two add it, or where it cannot be imported.
    """
    found = [point for point in _points(kind) if point.name == name]
    if not found:
        return None
    packages = sorted(map(_package, found))
    if len(found) > 1:
        raise PluginError(
            f"{' and '.join(packages)} add {name!r} to {GROUP}{kind} more than once.",
            "Uninstall one of them." if packages[0] != packages[-1] else f"Uninstall {packages[0]}.",
        )
    try:
        return found[0].load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module does while it is imported
        raise refused(kind, name, f"cannot be loaded: {type(error).__name__}: {error}") from error


def plugin_text(kind: Kind, name: str) -> str | None:
    """The text of a file that a package adds by that name: a `Path`, or what `importlib.resources.files` gives."""
    file = load_plugin(kind, name)
    if file is None:
        return None
    try:
        return str(file.read_text(encoding="utf-8"))
    except Exception as error:
        raise refused(kind, name, f"is not a readable file: {type(error).__name__}: {error}") from error


def refused(kind: Kind, name: str, why: str) -> PluginError:
    """The error that names a plug-in, its package, and the cure."""
    point = next(point for point in _points(kind) if point.name == name)
    package = _package(point)
    return PluginError(
        f"{name!r} in {GROUP}{kind}, which {package} adds as {point.value}, {why.rstrip('.')}.",
        f"Update or uninstall {package}, or choose another name.",
    )


def _points(kind: Kind) -> tuple[EntryPoint, ...]:
    return _installed(GROUP + kind, tuple(sys.path))


@lru_cache(maxsize=64)
def _installed(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Entry points of a group; kept, since packages are looked for in every folder of `path` each time."""
    return tuple(entry_points(group=group))


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module
