"""A short document as blocks, written as Markdown and as one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ava_core.base.text import figure_text

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2024}"
    "table{border-collapse:collapse;margin:1rem 0;font-size:14px}td,th{padding:.2rem .7rem;text-align:right;"
    "border-bottom:1px solid #dde1e6}td.t,th.t{text-align:left}figure{margin:1rem 0}svg{max-width:100%;height:auto}"
    "figcaption{color:#5b6470}p.strong{font-weight:600;border-left:4px solid #c2410c;padding-left:.7rem}"
)


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 or 2."""

    text: str
    level: int = 2


@dataclass(frozen=True, init=False)
class Text:
    """A paragraph, or a list where there are several lines; `strong` where nobody may miss it."""

    lines: tuple[str, ...]
    strong: bool

    def __init__(self, *lines: str, strong: bool = False) -> None:
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "strong", strong)


@dataclass(frozen=True)
class Numbers:
    """A table; numbers are set right, `None` as a dash."""

    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Picture:
    """A plot as SVG; Markdown links `plots/<name>.svg`."""

    name: str
    caption: str
    svg: str


Block = Heading | Text | Numbers | Picture


def to_markdown(blocks: Iterable[Block]) -> str:
    """The document as Markdown."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def to_html(title: str, blocks: Iterable[Block]) -> str:
    """The document as HTML, pictures inside."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>\n{body}\n'
        "</body></html>\n"
    )


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Text):
        if len(block.lines) > 1:
            return "\n".join(f"* {line}" for line in block.lines)
        return f"> **{block.lines[0]}**" if block.strong else "".join(block.lines)
    if isinstance(block, Picture):
        return f"![{block.caption}](plots/{block.name}.svg)"
    ruler = [":---" if left else "---:" for left in _left(block)]
    lines = [block.header, ruler, *([figure_text(c).replace("|", "\\|") for c in row] for row in block.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{html.escape(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        if len(block.lines) > 1:
            return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in block.lines)}</ul>"
        kind = ' class="strong"' if block.strong else ""
        return f"<p{kind}>{html.escape(''.join(block.lines))}</p>"
    if isinstance(block, Picture):
        svg = block.svg[block.svg.index("<svg") :]
        return f"<figure>{svg}<figcaption>{html.escape(block.caption)}</figcaption></figure>"
    kinds = [' class="t"' if left else "" for left in _left(block)]
    head = "".join(f"<th{k}>{html.escape(c)}</th>" for k, c in zip(kinds, block.header, strict=True))
    cells = [[html.escape(figure_text(value)) for value in row] for row in block.rows]
    body = "".join(
        f"<tr>{''.join(f'<td{k}>{c}</td>' for k, c in zip(kinds, row, strict=True))}</tr>" for row in cells
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _left(block: Numbers) -> list[bool]:
    """Which columns hold words."""
    return [any(isinstance(row[n], str) for row in block.rows) for n in range(len(block.header))]
