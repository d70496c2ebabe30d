"""What all benchmarks share: a table on the screen, figures and bars as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REFERENCE_DATA = Path(
    os.environ.get("AVA_REFERENCE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


def argument_parser(description: str) -> argparse.ArgumentParser:
    """A parser with `--json FILE`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write figures and bars here")
    return parser


@dataclass
class Bars:
    """Collects figures and bars of one benchmark; `finish` prints and writes them."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    bars: list[dict[str, Any]] = field(default_factory=list)

    def figure(self, name: str, value: Any) -> None:
        """Note a figure."""
        self.figures[name] = value

    def bar(self, name: str, value: float, bar: float, *, holds: bool) -> None:
        """Note a bar, what was measured, and whether it holds."""
        self.bars.append({"name": name, "value": value, "bar": bar, "holds": bool(holds)})

    def finish(self, json_file: Path | None) -> None:
        """Print the bars as a table; write JSON where asked."""
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        self.figures.setdefault("machine", machine)
        print(f"\n{self.name} ({machine})")
        for entry in self.bars:
            verdict = "holds" if entry["holds"] else "MISSED"
            print(f"  {verdict:7} {entry['name']}: {entry['value']:.4g} (bar {entry['bar']:.4g})")
        if json_file:
            content = {"name": self.name, "figures": self.figures, "bars": self.bars}
            json_file.write_text(json.dumps(content, indent=2, default=float) + "\n")


def table(header: list[str], rows: list[list[Any]]) -> None:
    """Print rows under a header, columns aligned."""
    texts = [header] + [[f"{c:.3f}" if isinstance(c, float) else str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(header))]
    for number, row in enumerate(texts):
        print(
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )
        if number == 0:
            print("  ".join("-" * w for w in widths))
