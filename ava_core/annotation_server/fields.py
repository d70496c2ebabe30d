"""Bodies of requests as typed fields, refused in CVAT's words and shapes.

A field's refusals are a list of sentences under its name. In a list of objects they stand in a list of the same
length, `{}` where an object is well; in a list of plain values under the place of each wrong one.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from ava_core.annotation_server.problems import Problem

MAX_INT: Final = 2**31 - 1
"""The largest whole number of a column of CVAT's database."""
MAX_JSON = 256 * 2**20
"""Bytes of a JSON body; a job of ten thousand boxes has a few million."""


class Fields(BaseModel):
    """The body of a request: fields that nobody asked for are ignored, numbers are taken for text as CVAT does."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """The fields that the body named."""
        return self.model_dump(exclude_unset=True)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "A valid integer is required.")
    return value


def _clean(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("characters", "Null characters are not allowed.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("characters", "Surrogate characters are not allowed.")
    return text


def _moment(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value)
        aware = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        sentence = "Datetime has wrong format. Use this one: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        raise PydanticCustomError("datetime", sentence) from None
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


Text = Annotated[str, AfterValidator(_clean)]
"""Any text, empty or not."""
Name = Annotated[str, Field(min_length=1), AfterValidator(_clean)]
"""Text that is not empty."""
Whole = Annotated[int, BeforeValidator(_no_boolean), Field(ge=-MAX_INT - 1, le=MAX_INT)]
"""A whole number."""
Count = Annotated[int, BeforeValidator(_no_boolean), Field(ge=0, le=MAX_INT)]
"""A whole number that is not negative."""
Moment = Annotated[str, BeforeValidator(_moment)]
"""A date and time; read as text in the form of the server's own dates."""

Model = TypeVar("Model", bound=Fields)


def read(model: type[Model], body: Any) -> Model:
    """The body as `model`; refuses with status 400 and what is wrong in each field."""
    if body is None:
        raise Problem(400, {"non_field_errors": ["No data provided"]})
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Problem(400, _told(error, body)) from None


def _told(error: ValidationError, body: Any) -> Any:
    told: dict[Any, Any] = {}
    for one in error.errors(include_url=False):
        node = told
        for step in one["loc"]:
            node = node.setdefault(step, {})
        node.setdefault(None, []).append(_sentence(one))
    return _shaped(told, body)


def _shaped(told: dict[Any, Any], value: Any) -> Any:
    """The sentences of a value and of what is in it, in CVAT's shapes."""
    own = told.pop(None, [])
    if not told:
        of_object = isinstance(value, dict) or any(sentence.startswith("Invalid data") for sentence in own)
        return {"non_field_errors": own} if of_object else own
    inner = {step: _shaped(part, _at(value, step)) for step, part in told.items()}
    if not isinstance(value, list):
        return inner
    if all(isinstance(part, dict) for part in inner.values()):
        return [inner.get(place, {}) for place in range(len(value))]
    return {str(place): part for place, part in inner.items()}


def _at(value: Any, step: Any) -> Any:
    """What a value holds at a step of an error's place; `None` where the step names no part of it (`[key]` for one)."""
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) else None


def _sentence(error: ErrorDetails) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx") or {}
    if given is None and kind != "missing":
        return "This field may not be null."
    if kind.endswith(("too_short", "too_long")) and isinstance(given, str):
        return _length(context)
    if kind == "literal_error":
        shown = given if isinstance(given, str | int | float) else type(given).__name__
        return f'"{shown}" is not a valid choice.'
    if kind in ("greater_than_equal", "less_than_equal"):
        side = "ge" if kind.startswith("greater") else "le"
        words = kind.replace("_", " ").replace("equal", "or equal to")
        return f"Ensure this value is {words} {context[side]:g}."
    if kind in ("list_type", "model_type", "dict_type"):
        name = type(given).__name__
        return (
            f'Expected a list of items but got type "{name}".'
            if kind == "list_type"
            else f"Invalid data. Expected a dictionary, but got {name}."
        )
    for beginning, sentence in SENTENCES.items():
        if kind.startswith(beginning):
            return sentence
    return error["msg"]


def _length(context: dict[str, Any]) -> str:
    if context.get("min_length") == 1:
        return "This field may not be blank."
    if "min_length" in context:
        return f"Ensure this field has at least {context['min_length']} characters."
    return f"Ensure this field has no more than {context['max_length']} characters."


SENTENCES: Final = {
    "missing": "This field is required.",
    "string": "Not a valid string.",
    "int": "A valid integer is required.",
    "float": "A valid number is required.",
    "finite_number": "A valid number is required.",
    "bool": "Must be a valid boolean.",
    "too_short": "This list may not be empty.",
}
"""What CVAT says, by how pydantic's kinds of errors begin."""


async def json_body(request: Request) -> Any:
    """The request's JSON; refuses other media types and broken JSON as CVAT does. No body is `{}`."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_JSON:
            raise Problem(413, {"detail": "The body is too large."})
        chunks.append(chunk)
    if not size:
        return {}
    media_type = request.headers.get("Content-Type", "").split(";")[0].strip()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, {"detail": f'Unsupported media type "{media_type}" in request.'})
    try:
        return json.loads(b"".join(chunks).decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Problem(400, {"detail": f"JSON parse error - {error}"}) from None


def _no_number(constant: str) -> None:
    raise ValueError(f"Out of range float values are not JSON compliant: {constant!r}")


Body = Annotated[Any, Depends(json_body)]
"""The JSON of a request, as a parameter of a route."""
