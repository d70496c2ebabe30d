"""Refusals, in the shapes that CVAT gives them: objects, lists of sentences, HTML pages.

Where CVAT fails with status 500 over what a caller wrote, this server refuses with 400: a fault is no contract.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from ava_core.annotation_server.answers import CvatJSON

SERVER_ERROR_PAGE = (
    '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Server Error (500)</title>\n</head>\n<body>\n'
    "  <h1>Server Error (500)</h1><p></p>\n</body>\n</html>\n"
)
NOT_FOUND_PAGE = (
    '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n'
    "  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n"
)


class Problem(Exception):
    """An answer that refuses: status and JSON body."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers
        super().__init__(f"{status}: {body}")


class PlainProblem(Problem):
    """A refusal whose body is a bare sentence, which CVAT labels as HTML."""


def missing_object(field: str, number: Any) -> Problem:
    """A field that names an object that is not there. CVAT fails here with status 500."""
    return invalid(field, f'Invalid pk "{number}" - object does not exist.')


def invalid(field: str, sentence: str) -> Problem:
    """A field that breaks a rule."""
    return Problem(400, {field: [sentence]})


def refused(sentence: str) -> Problem:
    """A request that breaks a rule as a whole."""
    return Problem(400, [sentence])


def forbidden() -> Problem:
    """The caller may not do this."""
    return Problem(403, {"detail": "You do not have permission to perform this action."})


def unsupported(what: str) -> Problem:
    """A real CVAT can do this, the embedded server cannot."""
    return Problem(501, {"detail": f"{what}: the embedded annotation server does not have this."})


def refuse_unknown(body: Any, *known: str) -> None:
    """Refuse a change of fields that may not be changed, before anything else of it is looked at."""
    unknown = sorted(set(body) - set(known)) if isinstance(body, dict) else []
    if unknown:
        raise Problem(403, {"detail": f"Attempted to update an unknown field {unknown[0]}"})


def not_found(what: str) -> Problem:
    """There is no such object; `what` is its class, as CVAT names it."""
    return Problem(404, {"detail": f"No {what} matches the given query."})


def install(app: FastAPI) -> None:
    """Make the application answer problems so."""

    def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        if isinstance(error, PlainProblem):
            return HTMLResponse(error.body, error.status, error.headers)
        return CvatJSON(error.body, error.status, error.headers)

    def fault(request: Request, error: Exception) -> Response:
        return HTMLResponse(SERVER_ERROR_PAGE, 500)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return HTMLResponse(NOT_FOUND_PAGE, 404)
        if error.status_code == 405:
            said = {"detail": f'Method "{request.method}" not allowed.'}
            return CvatJSON(said, 405, error.headers)
        return CvatJSON({"detail": error.detail}, error.status_code)

    def no_number(request: Request, error: Exception) -> Response:
        return CvatJSON({"detail": "Not found."}, 404)

    def too_deep(request: Request, error: Exception) -> Response:
        return CvatJSON({"detail": "JSON parse error - nested too deeply"}, 400)

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(RequestValidationError, no_number)
    app.add_exception_handler(RecursionError, too_deep)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, fault)
