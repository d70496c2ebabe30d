"""What the rooms of the dataset share."""

from __future__ import annotations

from pathlib import Path

import pytest

from ava_core.dataset.formats.ava.names import MANIFEST
from ava_core.dataset.formats.flavours import FLAVOURS, write_dataset
from tests.support.numbered import numbered_dataset
from tests.support.shared import made_once


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset whose pictures carry their number, in every layout. Read only."""

    def make(made: Path) -> None:
        dataset = numbered_dataset(made / "pictures")
        write_dataset(made / "dataset", dataset, list(FLAVOURS))
        # As a release has it: where clips have bars.
        dataset.clips.rename({"clip_id": "video_id"}).write_parquet(made / "dataset" / MANIFEST)

    return made_once(tmp_path_factory, "numbered", make) / "dataset"
