"""Pickles of builtins and numpy arrays: written for every numpy, and read without trusting the file."""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, Final

from ava_core.base.errors import InputError, UnsafePickleError

MAX_PICKLE_BYTES: Final = 2 * 2**30

_ARRAYS: Final = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("collections", "OrderedDict"),
}
"""All that a pickle of builtins and plain numpy arrays refers to; numpy 1 says `numpy.core` for `numpy._core`."""


def _bytes(text: str = "", encoding: str = "latin1") -> bytes:
    """How the protocols before 3 spell bytes: `bytes()` and `_codecs.encode(text, "latin1")`, and no more."""
    if encoding != "latin1":
        raise UnsafePickleError(f"The pickle encodes text as {encoding!r}; bytes are spelled in latin1.")
    return text.encode(encoding)


_BYTES: Final = {("_codecs", "encode"), ("__builtin__", "bytes"), ("builtins", "bytes")}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _BYTES:
            return _bytes
        present = module.replace("numpy.core", "numpy._core")
        if (present, name) in _ARRAYS:
            return super().find_class(present, name)
        raise UnsafePickleError(
            f"The pickle refers to {module}.{name}, which is neither a builtin nor a plain numpy array.",
            "Nothing of it was executed. Write it again with lists, dicts, numbers and numpy arrays alone.",
        )


def safe_load(source: Path | bytes) -> Any:
    """Load a pickle of builtins and plain numpy arrays.

    Raises `UnsafePickleError` naming the first other thing it refers to, before anything is executed, and
    `InputError` where it is no pickle or too large.
    """
    data = source if isinstance(source, bytes) else _read(source)
    try:
        return _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except UnsafePickleError:
        raise
    except Exception as error:
        raise InputError(f"The pickle cannot be read: {error}.", "Write it again.") from None


def dumps_for_every_numpy(content: Any) -> bytes:
    """A pickle of builtins and numpy arrays that loads under numpy 1 and numpy 2 alike.

    Protocol 2, and the module's name as numpy 1 knows it: numpy 2 still finds it there, numpy 1 has no
    `numpy._core`.
    """
    return _with_numpy_1_names(pickle.dumps(content, protocol=2))


def _with_numpy_1_names(data: bytes) -> bytes:
    """Rename `numpy._core` in the GLOBAL opcodes alone: array bytes that look like it stay as they are."""
    pieces: list[bytes] = []
    last = 0
    left = data.count(b"cnumpy._core.")
    for opcode, argument, position in pickletools.genops(data):
        if left == 0:  # a global is named once, near the beginning: the rest need not be looked through
            break
        if opcode.name == "GLOBAL" and str(argument).startswith("numpy._core."):
            module, name = str(argument).split(" ", 1)
            pieces += [
                data[last:position],
                f"c{module.replace('numpy._core', 'numpy.core')}\n{name}\n".encode(),
            ]
            last = (position or 0) + len(f"c{module}\n{name}\n")
            left -= 1
    return b"".join([*pieces, data[last:]])


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    if path.stat().st_size > MAX_PICKLE_BYTES:
        raise InputError(f"{path} is larger than {MAX_PICKLE_BYTES >> 30} GiB.", "Split it by clips.")
    return path.read_bytes()
