"""Pickles, read without trusting the file."""

from __future__ import annotations

import contextlib
import os
import pickle
import pickletools
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ava_core.base.errors import InputError, UnsafePickleError
from ava_core.base.pickles import safe_load
from tests.support.examples import examples

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


class Calls:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


@examples(50)
@given(PLAIN, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back(value: Any, protocol: int) -> None:
    if protocol > 0 or "\\" not in repr(value):
        assert safe_load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "<U5", "bool"])
def test_plain_arrays_come_back(protocol: int, kind: str) -> None:
    value = {"a": np.ones((3, 5)).astype(kind), "b": np.float64(2.5), "c": np.arange(3)[::-1]}
    loaded = safe_load(pickle.dumps(value, protocol))
    np.testing.assert_array_equal(loaded["a"], value["a"])
    np.testing.assert_array_equal(loaded["c"], value["c"])
    assert loaded["b"] == 2.5


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch {}",), "posix.system"),
        (eval, ("open('{}', 'w')",), "builtins.eval"),
        (subprocess.Popen, (["touch", "{}"],), "Popen"),
        (getattr, (os, "system"), None),
        (print, ("x",), "builtins.print"),
        (np.load, ("{}",), "numpy.load"),
        (Path, ("/etc/passwd",), "pathlib"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_pickle_executes_nothing_and_names_what_it_wanted(
    function: Any, arguments: tuple[Any, ...], name: str | None, protocol: int, tmp_path: Path
) -> None:
    mark = tmp_path / "executed"
    filled = tuple(
        a.format(mark) if isinstance(a, str) else [b.format(mark) for b in a] if isinstance(a, list) else a
        for a in arguments
    )
    try:
        data = pickle.dumps({"clip": [Calls(function, *filled)]}, protocol)
    except TypeError:
        data = b"cbuiltins\ngetattr\n(cos\nsystem\nS'x'\ntR."
    data = data.replace(b"c__builtin__\n", b"cbuiltins\n")
    with pytest.raises(UnsafePickleError, match=name or r"builtins\.getattr") as refused:
        safe_load(data)
    assert "Nothing in it was executed" in str(refused.value)
    assert not mark.exists()


def test_names_with_dots_do_not_lead_out_of_what_is_allowed() -> None:
    for module, name in (
        ("numpy", "ndarray.__class__"),
        ("_codecs", "encode.__self__"),
        ("collections", "abc"),
    ):
        data = (
            b"\x80\x04"
            + b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
            + b"\x93."
        )
        with pytest.raises(UnsafePickleError):
            safe_load(data)


def test_bytes_are_only_what_pickle_itself_writes() -> None:
    for data in (b"c__builtin__\nbytes\n(I99999999999\ntR.", b"c_codecs\nencode\n(S'aa'\nS'hex'\ntR."):
        with pytest.raises(InputError):
            safe_load(data)


def test_arrays_of_objects_cannot_hide_anything(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    array = np.array([Calls(os.system, f"touch {mark}")], dtype=object)
    with pytest.raises(UnsafePickleError, match="O8"):
        safe_load(pickle.dumps(array))
    assert not mark.exists()


@pytest.mark.parametrize("data", [b"", b"no pickle", pickle.dumps([1, 2])[:-2], b"\x80\x09."])
def test_what_is_no_pickle_says_so(data: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        safe_load(data)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        safe_load(tmp_path / "no.pkl")


def test_a_refusal_costs_no_import(tmp_path: Path) -> None:
    """Looking a module up would already run it."""
    (tmp_path / "evil_module.py").write_text("open('imported', 'w')")
    code = (
        "from ava_core.base.pickles import safe_load\n"
        "try: safe_load(b'cevil_module\\nx\\n.')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )  # fmt: skip
    assert "UnsafePickleError" in done.stdout
    assert "evil_module.x" in done.stdout
    assert not (tmp_path / "imported").exists()


# Arrays that lie about themselves

RAW = b"\x01" * 40
CRAFTED = {
    "pointers": ("O", (3, "|", None, None, None, -1, -1, 0), (1, 5), RAW),
    "records": ("V8", (3, "|", None, ("a",), {"a": ("O8", 0)}, 8, 1, 0), (5,), RAW),
    "a subtype": ("f8", (3, "<", ("O8", (1,)), None, None, -1, -1, 0), (5,), RAW),
    "a state that is none": ("f8", 7, (5,), RAW),
    "an order of bytes that is none": ("f8", (3, "?", None, None, None, -1, -1, 0), (5,), RAW),
    "more values than bytes": ("f8", (3, "<", None, None, None, -1, -1, 0), (10**9,), RAW),
    "a negative length": ("f8", (3, "<", None, None, None, -1, -1, 0), (-5,), RAW),
    "a length that overflows": ("f8", (3, "<", None, None, None, -1, -1, 0), (2**62, 4, 5), RAW),
    "a type that names many": ("f8,O8", (3, "<", None, None, None, -1, -1, 0), (5,), RAW),
    "content that is a list": ("f8", (3, "<", None, None, None, -1, -1, 0), (5,), [1, 2, 3, 4, 5]),
}


class Crafted:
    """Pickles as an array of that type, type's state, shape and content, by any of numpy's three ways."""

    def __init__(self, way: str, name: Any, state: Any, shape: Any, raw: Any) -> None:
        self.way, self.kind, self.shape, self.raw = way, Kind(name, state), shape, raw

    def __reduce__(self) -> Any:
        multiarray = np._core.multiarray
        if self.way == "state":
            made = (np.ndarray, (0,), b"b")
            return multiarray._reconstruct, made, (1, self.shape, self.kind, False, self.raw)
        if self.way == "scalar":
            return multiarray.scalar, (self.kind, self.raw)
        return np._core.numeric._frombuffer, (self.raw, self.kind, self.shape, "C")


class Kind:
    """Pickles as a type with a state."""

    def __init__(self, name: Any, state: Any) -> None:
        self.name, self.state = name, state

    def __reduce__(self) -> Any:
        return np.dtype, (self.name, False, True), self.state


@pytest.mark.parametrize("case", CRAFTED)
@pytest.mark.parametrize("way", ["state", "buffer", "scalar"])
def test_arrays_that_lie_are_refused_without_numpys_help(case: str, way: str) -> None:
    with pytest.raises(InputError):
        safe_load(pickle.dumps({"v,0902": Crafted(way, *CRAFTED[case])}, 2))


BOMBS = {
    "a place in the memo far away": b"\x80\x04]r\xff\xff\xff\x3f0N.",
    "bytes that were only announced": b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b".",
    "a frame that was only announced": b"\x80\x04\x95" + (2**40).to_bytes(8, "little") + b".",
    "lists of the same lists": b"]q\x00" + b"".join(
        b"](" + b"h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(60)
    ) + b".",
    "a list that contains itself": b"]q\x00h\x00a.",
    "100,000 lists deep": b"]" * 100_000 + b"a" * 99_999 + b".",
    "keys that were chosen": b"}(" + b"".join(
        pickle.dumps((2**61 - 1) * n, 2)[2:-1] + b"N" for n in range(1, 1000)
    ) + b"u.",
    "a number of many digits": b"I" + b"9" * 10_000 + b"\n.",
    "a function as a value": b"c_codecs\nencode\n.",
    "a function with other defaults": b"c_codecs\nencode\n(N}U\x0c__defaults__N(tstb.",
    "an array that never came": b"cnumpy.core.multiarray\n_reconstruct\n)R.",
}  # fmt: skip


@pytest.mark.parametrize("case", BOMBS)
def test_what_would_fill_memory_or_time_is_refused(case: str) -> None:
    tracemalloc.start()
    try:
        loaded = safe_load(BOMBS[case])
    except InputError:
        pass
    else:
        assert case == "a place in the memo far away"
        assert loaded is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


OPCODES = st.sampled_from([opcode.code.encode("latin1") for opcode in pickletools.opcodes])
PIECES = st.one_of(
    OPCODES,
    st.binary(max_size=4),
    st.sampled_from(
        [b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"U\x02f8", b"U\x02O8",
         b"cnumpy.core.multiarray\nscalar\n", b"cnumpy.core.numeric\n_frombuffer\n", b"ccollections\nOrderedDict\n",
         b"c_codecs\nencode\n", b"K\x05", b"(K\x01K\x05t", b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
         b"C\x08AAAAAAAA", b"q\x00", b"h\x00", b"}", b"]", b"(", b"t", b"R", b"b", b"a", b"e", b"u", b"\x81", b"\x92"]
    ),
)  # fmt: skip
"""Single opcodes, and pieces that mean something to numpy."""


@examples(500)
@given(st.lists(PIECES, max_size=40), st.integers(0, 5))
def test_any_opcodes_end_in_plain_values_or_a_sentence(pieces: list[bytes], protocol: int) -> None:
    data = b"\x80" + bytes([protocol]) + b"".join(pieces) + b"."
    try:
        loaded = safe_load(data)
    except InputError:
        pass
    else:
        assert_plain(loaded)


def assert_plain(value: Any) -> None:
    """Numbers, texts, bytes, arrays of those, and lists, tuples and dicts of them."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for one in value:
            assert_plain(one)
    elif isinstance(value, np.ndarray):
        assert value.dtype.kind in "biufSU"
    else:
        assert type(value) in (type(None), bool, int, float, str, bytes, bytearray)


@examples(300)
@given(st.data())
def test_a_changed_byte_ends_in_plain_values_or_a_sentence(data: st.DataObject) -> None:
    content = {"v,0902": np.ones((2, 5)), "c": {"c_frame_0001.jpg": [[1.5, 2, 3, 4, 0.5, np.float64(1)]]}}
    raw = bytearray(pickle.dumps(content, data.draw(st.integers(0, 5))))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        assert_plain(safe_load(bytes(raw)))


def test_what_python_2_wrote_comes_back() -> None:
    """Its bytes are texts, its numpy knew other names."""
    array = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x01K\x02\x86cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        b"K\x00tb\x89U\x08" + np.array([0.5, 2], "<f4").tobytes() + b"tb."
    )
    np.testing.assert_array_equal(safe_load(array), [[0.5, 2]])
