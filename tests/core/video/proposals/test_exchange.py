"""The older tools' pickle."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path

import polars as pl

from ava_core.base.pickles import safe_load
from ava_core.base.schemas import CLIPS, PROPOSALS
from ava_core.video.proposals.exchange import write_older_pickle


def test_the_older_layout_holds_builtins_only_and_every_clip(tmp_path: Path) -> None:
    clips = pl.DataFrame([{"clip_id": "a"}, {"clip_id": "empty"}], schema=dict(CLIPS))
    rows = [("a", 3, 7, 1.0, 2.0, 30.5, 40.0, 0.75, False), ("a", 3, 8, 5.0, 6.0, 7.0, 8.0, 0.5, True)]
    write_older_pickle(tmp_path / "p.pkl", clips, pl.DataFrame(rows, schema=dict(PROPOSALS), orient="row"))
    content = {
        "a": {"a_frame_0003.jpg": [[1.0, 2.0, 30.5, 40.0, 0.75, 7], [5.0, 6.0, 7.0, 8.0, 0.5, 8]]},
        "empty": {},
    }
    data = (tmp_path / "p.pkl").read_bytes()
    assert pickle.loads(data) == safe_load(tmp_path / "p.pkl") == content
    assert not [
        op for op, _, _ in pickletools.genops(data) if op.name in ("GLOBAL", "STACK_GLOBAL", "REDUCE")
    ]
