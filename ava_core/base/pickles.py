"""Pickles of builtins and numpy arrays: written for every numpy, and read without trusting the file."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from ava_core.base.array_stand_ins import CURE, Array, Dtype, Name, from_buffer, scalar
from ava_core.base.errors import InputError, UnsafePickleError

MAX_PICKLE_BYTES: Final = 2**29
"""Boxes of twenty thousand clips as the older tools write them, of hundreds of thousands as arrays."""

MAX_PARTS: Final = 40_000_000
"""Lists, dicts and marks in a file; each takes a byte there and a hundred in memory."""

MAX_DEPTH: Final = 100
"""Lists in lists; boxes lie four deep."""

SPREAD: Final = 16
"""Values a file may hold for each of its bytes, when everything that is repeated is counted again."""


def _bytes(text: Any = "", encoding: Any = "latin1") -> bytes:
    """How the protocols before 3 spell bytes: `bytes()` and `_codecs.encode(text, "latin1")`, and no more."""
    if encoding != "latin1" or not isinstance(text, str):
        raise UnsafePickleError(f"The pickle encodes text as {encoding!r}; bytes are spelled in latin1.")
    return text.encode("latin1")


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    return {_key(key): value for key, value in pairs}


_NAMES: Final[dict[tuple[str, str], Any]] = {
    ("numpy", "ndarray"): Name("ndarray"),
    ("numpy", "dtype"): Dtype,
    ("numpy._core.multiarray", "_reconstruct"): Array,
    ("numpy._core.multiarray", "scalar"): scalar,
    ("numpy._core.numeric", "_frombuffer"): from_buffer,
    ("collections", "OrderedDict"): _ordered,
    ("_codecs", "encode"): _bytes,
    ("__builtin__", "bytes"): _bytes,
    ("builtins", "bytes"): _bytes,
}
"""All that a pickle of builtins and plain numpy arrays refers to, and what stands in for it; numpy 1 says
`numpy.core` for `numpy._core`."""

_CALLED: Final = tuple(one for one in _NAMES.values() if not isinstance(one, Name))

_READ: Final = (
    "PROTO FRAME STOP MARK POP POP_MARK DUP MEMOIZE PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT "
    "STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS GLOBAL STACK_GLOBAL REDUCE BUILD"
)
"""Names of the opcodes by which values are written; those that make objects of classes are not among them."""


class _Unpickler(pickle._Unpickler):
    """Python's own reader, over fewer opcodes: it makes values and stand-ins, and calls nothing else.

    Not the one in C: that takes room for whatever number a file writes its first value under.
    """

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self.parts = 0

    def find_class(self, module: str, name: str) -> Any:
        known = _NAMES.get((module.replace("numpy.core", "numpy._core"), name))
        if known is None:
            raise UnsafePickleError(
                f"The pickle refers to {module[:100]}.{name[:100]}, which is neither a builtin nor a plain numpy "
                "array.",
                CURE,
            )
        return known

    def load_reduce(self) -> None:
        arguments, called = self.stack.pop(), self.stack[-1]
        if not any(called is known for known in _CALLED) or not isinstance(arguments, tuple):
            raise UnsafePickleError("The pickle calls something that is not a function.", CURE)
        self.stack[-1] = called(*arguments)

    def load_build(self) -> None:
        state, built = self.stack.pop(), self.stack[-1]
        if not isinstance(built, Array | Dtype):
            raise UnsafePickleError("The pickle changes an object that it did not make.", CURE)
        built.fill(state)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._dict()[_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self._dict().update(zip(map(_key, items[::2]), items[1::2], strict=True))

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.stack.append(dict(zip(map(_key, items[::2]), items[1::2], strict=True)))

    def load_append(self) -> None:
        value = self.stack.pop()
        self._list().append(value)

    def load_appends(self) -> None:
        items = self.pop_mark()
        self._list().extend(items)

    def _dict(self) -> dict[Any, Any]:
        return (
            self.stack[-1]
            if type(self.stack[-1]) is dict
            else _damaged("items for a value that is not a dict")
        )

    def _list(self) -> list[Any]:
        return (
            self.stack[-1]
            if type(self.stack[-1]) is list
            else _damaged("items for a value that is not a list")
        )


def _counted(load: Callable[[Any], None]) -> Callable[[_Unpickler], None]:
    """The same, while there are not too many parts."""

    def counting(reader: _Unpickler) -> None:
        reader.parts += 1
        if reader.parts > MAX_PARTS:
            raise InputError(f"The pickle has more than {MAX_PARTS} lists and dicts.", "Split it by clips.")
        load(reader)

    return counting


def _table() -> dict[int, Callable[[Any], None]]:
    """What is done at each opcode."""
    own = {name.removeprefix("load_").upper(): load for name, load in vars(_Unpickler).items()}
    table: dict[int, Callable[[Any], None]] = {}
    for opcode in pickletools.opcodes:
        if opcode.name in _READ.split():
            code = ord(opcode.code)
            table[code] = own.get(opcode.name) or pickle._Unpickler.dispatch[code]
            if opcode.name in ("MARK", "EMPTY_LIST", "EMPTY_DICT", "TUPLE1", "TUPLE2", "TUPLE3"):
                table[code] = _counted(table[code])
    return table


_Unpickler.dispatch = _table()


def safe_load(source: Path | bytes) -> Any:
    """Load a pickle of builtins and plain numpy arrays: lists, tuples, dicts, numbers, texts, bytes.

    Raises `UnsafePickleError` naming the first other thing it refers to, before anything is executed, and
    `InputError` where it is no pickle, too large, too deep, or holds itself.
    """
    data = source if isinstance(source, bytes) else _read(source)
    try:
        return _Whole(SPREAD * len(data)).of(_Unpickler(data).load())[0]
    except InputError:
        raise
    except KeyError:
        _damaged("a part that is not a value")
    except Exception as error:
        _damaged(str(error) or type(error).__name__)


class _Whole:
    """Puts arrays in the place of their stand-ins, and counts what there is."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.known: dict[int, tuple[Any, int]] = {}

    def of(self, value: Any, depth: int = 0) -> tuple[Any, int]:
        """A value without stand-ins, and of how many values it consists; what is repeated counts each time."""
        if isinstance(value, Array):
            return (value.content, 1) if value.content is not None else _damaged("an array without content")
        if isinstance(value, Dtype | Name) or callable(value):
            _damaged("a name instead of a value")
        if not isinstance(value, list | tuple | dict):
            return value, 1
        if id(value) not in self.known:
            if depth > MAX_DEPTH:
                _damaged(f"lists nested more than {MAX_DEPTH} deep, or a list that contains itself")
            self.known[id(value)] = self._container(value, depth)
        return self.known[id(value)]

    def _container(self, value: Any, depth: int) -> tuple[Any, int]:
        within = value.values() if isinstance(value, dict) else value
        made = [self.of(one, depth + 1) for one in within]
        count = 1 + sum(one[1] for one in made)
        if count > self.most:
            _damaged("lists repeated so often that they would fill the memory")
        whole = [one[0] for one in made]
        if isinstance(value, dict):
            value.update(zip(value, whole, strict=True))
        elif isinstance(value, list):
            value[:] = whole
        else:
            return tuple(whole), count
        return value, count


def _key(key: Any) -> str | int:
    """A key that spreads well over a table: texts do, large numbers can be chosen not to."""
    if isinstance(key, str) or (isinstance(key, int) and abs(key) < 2**31):
        return key
    return _damaged("a key that is neither text nor a small number")


def _damaged(what: str) -> NoReturn:
    raise InputError(f"The pickle cannot be read: {what[:200]}.", "Write it again.") from None


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
        raise InputError(f"{path} is larger than {MAX_PICKLE_BYTES >> 20} MiB.", "Split it by clips.")
    return path.read_bytes()
