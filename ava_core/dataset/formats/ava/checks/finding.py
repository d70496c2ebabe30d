"""A broken rule, and where it is broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from ava_core.dataset.formats.ava.readers import READERS

EXAMPLES: Final = 5
"""Findings of one rule in one file that are listed one by one."""


@dataclass(frozen=True)
class Finding:
    """A broken rule: file and line (0 = the file as a whole), the rule, and what follows from breaking it.

    `error`: a named reader fails or is misled. `warning`: readers cope, but not as one may think. `cure`: what to do.
    """

    file: str
    line: int
    rule: str
    consequence: str
    severity: Literal["error", "warning"] = "error"
    cure: str = ""

    @property
    def readers(self) -> list[str]:
        """The readers that the consequence names."""
        return [reader.name for reader in READERS if reader.name.split(" ")[0] in self.consequence]

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        text = f"{where}: {'' if self.severity == 'error' else 'warning: '}{self.rule}. {self.consequence}."
        return f"{text} {self.cure}." if self.cure else text


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are errors."""
    return [finding for finding in findings if finding.severity == "error"]


def each_line(
    file: str,
    rows: pl.DataFrame,
    rule: str,
    consequence: str,
    severity: Literal["error", "warning"] = "error",
    cure: str = "",
) -> Iterator[Finding]:
    """A finding for each of the first rows (column `line`), and one for how many more there are."""
    lines = rows["line"].sort().to_list()
    for line in lines[:EXAMPLES]:
        yield Finding(file, line, rule, consequence, severity, cure)
    if len(lines) > EXAMPLES:
        yield Finding(file, 0, f"{rule}, in {len(lines) - EXAMPLES} more lines", consequence, severity, cure)
