"""AVA's proposals, for every numpy."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path

import numpy as np

from ava_core.base.pickles import safe_load
from ava_core.dataset.formats.ava.proposals import write_ava_pickle


def test_avas_layout_loads_under_numpy_1_and_2(tmp_path: Path) -> None:
    tricky = np.frombuffer(b"numpy._core.mult" * 20, dtype=np.float64).reshape(-1, 5)
    boxes = {"v,0902": np.array([[0.1, 0.2, 0.3, 0.4, 0.9]]), "v,0903": np.empty((0, 5)), "v,0904": tricky}
    write_ava_pickle(tmp_path / "p.pkl", boxes)
    data = (tmp_path / "p.pkl").read_bytes()
    named = {str(argument) for op, argument, _ in pickletools.genops(data) if op.name == "GLOBAL"}
    assert not [name for name in named if name.startswith("numpy._core")]
    for loaded in (pickle.loads(data), safe_load(data)):
        assert loaded.keys() == boxes.keys()
        for key, value in boxes.items():
            np.testing.assert_array_equal(loaded[key], value)
