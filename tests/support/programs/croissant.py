"""mlcroissant on `croissant.json`: its records are labels, so each stands for itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Print the rows of all splits: `[split, video, timestamp, x1, y1, x2, y2, action, person, picture]`."""
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(Path(sys.argv[1]) / "croissant.json"))
    columns = ("split", "video_id", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id", "picture")
    for record in dataset.records("labels"):
        cells = [record[f"labels/{column}"] for column in columns]
        print(
            json.dumps([cell.decode() if isinstance(cell, bytes) else cell for cell in cells], default=float)
        )


if __name__ == "__main__":
    main()
