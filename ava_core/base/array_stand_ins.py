"""What stands in for numpy while a stranger's pickle is read.

numpy's own functions trust what they are given: its `__setstate__` takes an array of pointers out of a file. These
take numbers and texts alone, look at every part, and make the array of bytes that were counted before.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from ava_core.base.errors import UnsafePickleError

_PLAIN: Final = re.compile(r"b1|[iu][1248]|f[248]|[SU][0-9]{1,6}")
"""Types as numpy writes them into pickles: truths, whole numbers, floats, and texts up to a million characters."""

_ORDERS: Final = frozenset("<>|=")
_MAX_DIMENSIONS: Final = 8
_MAX_LENGTH: Final = 2**31

CURE: Final = "Nothing in it was executed. Write it again with only lists, dicts, numbers and numpy arrays."


class Dtype:
    """A type of plain values; its state brings the order of bytes."""

    def __init__(self, name: Any, *rest: Any) -> None:
        text = _text(name)
        if not _PLAIN.fullmatch(text) or len(rest) > 2:
            _refuse(f"an array of type {text[:20]!r}")
        self.plain = np.dtype(text)

    def fill(self, state: Any) -> None:
        """Take `(version, order of bytes, no subtype, no names, no fields, …)`."""
        if not isinstance(state, tuple) or not 5 <= len(state) <= 9 or any(s is not None for s in state[2:5]):
            _refuse("an array of records")
        order = _text(state[1])
        if order not in _ORDERS:
            _refuse(f"bytes in the order {order[:20]!r}")
        self.plain = self.plain.newbyteorder(order)  # type: ignore[arg-type]


class Array:
    """An array that has been named and gets its content later."""

    def __init__(self, *given: Any) -> None:
        self.content: npt.NDArray[Any] | None = None

    def fill(self, state: Any) -> None:
        """Take `(version, shape, type, whether columns lie together, bytes)`; numpy's first pickles had no version."""
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            _refuse("an array that is none")
        shape, kind, by_columns, raw = state[-4:]
        self.content = _made(raw, kind, shape, "F" if by_columns else "C")


@dataclass(frozen=True)
class Name:
    """Something that a pickle only mentions."""

    name: str


def scalar(kind: Any, raw: Any = b"") -> Any:
    """A number or text alone, as Python has it."""
    return _made(raw, kind, (1,), "C")[0].item()


def from_buffer(raw: Any, kind: Any, shape: Any, order: Any, *rest: Any) -> npt.NDArray[Any]:
    """An array whose bytes lie in the pickle as they are."""
    return _made(raw, kind, shape, "F" if order == "F" else "C")


def _made(raw: Any, kind: Any, shape: Any, order: Any) -> npt.NDArray[Any]:
    """An array of its own, of as many bytes as shape and type ask for."""
    if isinstance(raw, str):  # Python 2 wrote bytes so
        raw = raw.encode("latin1")
    if not isinstance(kind, Dtype) or not isinstance(raw, bytes | bytearray):
        _refuse("an array of objects")
    lengths = shape if isinstance(shape, tuple) else (shape,)
    if len(lengths) > _MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < _MAX_LENGTH for n in lengths):
        _refuse("an array without a shape")
    count, size = math.prod(lengths), kind.plain.itemsize
    if count * size != len(raw) or (size == 0 and count):
        _refuse(f"an array of {count} values of {size} bytes in {len(raw)} bytes")
    return np.frombuffer(bytearray(raw), kind.plain, count).reshape(lengths, order=order)


def _text(given: Any) -> str:
    if isinstance(given, bytes):
        return given.decode("latin1")
    return given if isinstance(given, str) else _refuse("a type that has no name")


def _refuse(what: str) -> NoReturn:
    raise UnsafePickleError(f"The pickle holds {what}.", CURE)
