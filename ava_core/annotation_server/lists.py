"""Lists as CVAT gives them: pages of ten, newest first, simple and JSON-logic filters, sorting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from fastapi import Request

from ava_core.annotation_server.access import base_url
from ava_core.annotation_server.problems import Problem, invalid, refused
from ava_core.annotation_server.state import Document

PAGE_SIZE = 10
MAX_PAGE_SIZE = 500

Fields = Mapping[str, Callable[[Document], Any]]
"""How to read the value of each term from a document."""


def page(
    request: Request,
    documents: Iterable[Document],
    show: Callable[[Document], Document],
    *,
    fields: Fields | None = None,
    simple: tuple[str, ...] = (),
    search: tuple[str, ...] = (),
    choices: Mapping[str, tuple[str, ...]] | None = None,
) -> Document:
    """A page of `documents` as `show` presents them.

    `fields`: terms for `filter` and `sort`; `simple`: those that are query parameters too; `search`: those that
    `search` looks into; `choices`: allowed values of a parameter. Unknown parameters and sort keys are ignored,
    an unknown filter term is refused: that is how CVAT does it.
    """
    query, fields = request.query_params, fields or {}
    found = list(documents)
    for name in simple:
        if (value := query.get(name)) is not None:
            if choices and name in choices and value not in choices[name]:
                sentence = f"Select a valid choice. {value} is not one of the available choices."
                raise invalid(name, sentence)
            found = [d for d in found if str(fields[name](d)) == value]
    if needle := query.get("search", "").casefold():
        found = [d for d in found if any(needle in str(fields[n](d)).casefold() for n in search)]
    if expression := query.get("filter"):
        rule = _parse(expression)
        found = [d for d in found if _fits(rule, d, fields)]
    for key in reversed([k.strip() for k in query.get("sort", "").split(",") if k.strip()]):
        name = key.removeprefix("-")
        if name in fields:
            found.sort(key=_sort_key(fields[name]), reverse=key.startswith("-"))
    return _page(request, found, show)


def number_of(request: Request, name: str) -> int | None:
    """The number in a query parameter, `None` without it."""
    given = request.query_params.get(name)
    if given and not given.isdecimal():
        raise invalid(name, "Enter a number.")
    return int(given) if given else None


def _page(request: Request, found: list[Document], show: Callable[[Document], Document]) -> Document:
    wanted = request.query_params.get("page_size", "")
    size = PAGE_SIZE
    if wanted == "all":
        size = max(1, len(found))
    elif wanted.isdecimal() and int(wanted) > 0:
        size = min(int(wanted), MAX_PAGE_SIZE)
    number = request.query_params.get("page", "1")
    pages = max(1, -(-len(found) // size))
    if not number.isdecimal() or not 1 <= int(number) <= pages:
        raise Problem(404, {"detail": "Invalid page."})
    current = int(number)
    return {
        "count": len(found),
        "next": _link(request, current + 1) if current < pages else None,
        "previous": _link(request, current - 1) if current > 1 else None,
        "results": [show(d) for d in found[(current - 1) * size : current * size]],
    }


def _link(request: Request, number: int) -> str:
    url = (
        request.url.include_query_params(page=number)
        if number > 1
        else request.url.remove_query_params("page")
    )
    return base_url(request) + str(url.path) + (f"?{url.query}" if url.query else "")


def _parse(expression: str) -> Any:
    try:
        return json.loads(expression)
    except (ValueError, RecursionError) as error:
        raise refused(f"filter: can't parse filter expression: {error}") from None


def _fits(rule: Any, document: Document, fields: Fields) -> bool:
    """Whether a rule holds for a document; refuses rules that make no sense, over which CVAT fails."""
    try:
        return _holds(rule, document, fields)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
        raise refused(f"filter: the expression makes no sense: {error}") from None


def _holds(rule: Any, document: Document, fields: Fields) -> bool:
    operator, arguments = next(iter(rule.items()))
    if operator in ("and", "or"):
        results = (_holds(part, document, fields) for part in arguments)
        return all(results) if operator == "and" else any(results)
    if operator == "!":
        return not _holds(arguments if isinstance(arguments, dict) else arguments[0], document, fields)
    values = [_value(argument, document, fields) for argument in arguments]
    if operator == "==":
        left, right = values
        if isinstance(right, list):
            raise ValueError("a list equals no value")
        return bool(left == right)
    if operator == "in":
        needle, heap = values
        if isinstance(heap, list):
            return needle in heap
        return str(needle).casefold() in str(heap or "").casefold()
    if None in values:
        return False
    if any(isinstance(a, dict) and str(a["var"]).endswith("_date") for a in arguments):
        values = [_moment(value) for value in values]
    pairs = list(pairwise(values))
    if operator == "<=":
        return all(a <= b for a, b in pairs)
    if operator == "<":
        return all(a < b for a, b in pairs)
    if operator == ">=":
        return all(a >= b for a, b in pairs)
    if operator == ">":
        return all(a > b for a, b in pairs)
    raise refused(f"filter: operation '{operator}' is not supported")


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _value(argument: Any, document: Document, fields: Fields) -> Any:
    if not isinstance(argument, dict):
        return argument
    name = str(argument["var"])
    if name not in fields:
        raise refused(f"filter: term '{name}' is not supported")
    return fields[name](document)


def _sort_key(read: Callable[[Document], Any]) -> Callable[[Document], Any]:
    def key(document: Document) -> tuple[bool, Any]:
        value = read(document)
        return value is not None, value if value is not None else 0

    return key
