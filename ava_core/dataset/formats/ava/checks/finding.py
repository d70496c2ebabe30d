"""A broken rule, and where it is broken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

EXAMPLES: Final = 5
"""Findings of one rule in one file that are listed one by one."""


@dataclass(frozen=True)
class Finding:
    """A broken rule: file and line (0 = the file as a whole), the rule, and what follows from breaking it.

    `error`: a reader fails or is misled. `warning`: a reader copes, but not as one may think.
    """

    file: str
    line: int
    rule: str
    consequence: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {'' if self.severity == 'error' else 'warning: '}{self.rule}. {self.consequence}."


def errors_among(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are errors."""
    return [finding for finding in findings if finding.severity == "error"]


def each_line(
    file: str,
    rows: pl.DataFrame,
    rule: str,
    consequence: str,
    severity: Literal["error", "warning"] = "error",
) -> Iterator[Finding]:
    """A finding for each of the first rows (column `line`), and one for how many more there are."""
    lines = rows["line"].sort().to_list()
    for line in lines[:EXAMPLES]:
        yield Finding(file, line, rule, consequence, severity)
    if len(lines) > EXAMPLES:
        yield Finding(file, 0, f"{rule}, in {len(lines) - EXAMPLES} more lines", consequence, severity)
