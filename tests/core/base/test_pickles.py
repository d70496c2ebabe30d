"""Pickles, read without trusting the file."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
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
    assert "Nothing of it was executed" in str(refused.value)
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
    with pytest.raises(UnsafePickleError, match="system"):
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
