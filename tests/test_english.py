"""Texts that people read are plain English: counts with their plurals, whole sentences, no worn words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ava_ui", "ava_assets", "ava_core")
SPEAKS_AS_CVAT = "annotation_server"
"""The embedded server answers in CVAT's own words."""

BANNED = {
    "a plural in brackets": re.compile(r"\w\((?:es|s|ies)\)"),
    "a sentence that begins with a bare who or what": re.compile(
        r"(?:^|[.;!?] )(?:Who|What)(?:ever)? (?!is wrong\b)[a-z]+\b[^?]*$"
    ),
    "a word for which there is a plainer one": re.compile(
        r"\b(?:mend(?:s|ed|ing)?(?!-)|anew|albeit|thereby|therein|thereof|therewith|whereby|wherein|lest|"
        r"shut out|let in|nobody holds|said of where)\b"
    ),
    "a negation of the noun": re.compile(
        r"(?<!there )\b(?:is|are|was|were) no (?!(?:longer|more|fewer|less|larger|older|newer|one)\b)[a-z]+\b",
        re.I,
    ),
    "files and words that lie or stand": re.compile(
        r"\b(?:lies?|lay|stands?|stood) "
        r"(?:in(?! for\b)|at|on|below|above|outside|before|after|beside|twice|there|here)\b",
        re.I,
    ),
    "a bound behind its number": re.compile(r"\d+ \w+ at (?:least|most)\b|\bcharacters at (?:least|most)\b"),
}
SEMICOLONS = re.compile(r"(?:[^.:;?!]*;){3}")
"""Thoughts that are strung together, and deserve sentences of their own; tables list things so."""
HEADINGS = {"What changed from"}

CODE_BLOCK = re.compile(r"^ *```.*?^ *```", re.S | re.M)
CODE = re.compile(r"`[^`]*`")
PART = re.compile(r"\n\s*\n|\n(?= *(?:[*|#]|\d+\. ))")
"""Paragraphs, items of lists and rows of tables."""
SCRIPT_TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", re.S)
SCRIPT_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`/])//[^\n]*", re.S)
SPOKEN = re.compile(r"\b(?:aria-label|title|placeholder|alt)=\"([^\"]*)\"")
PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\{\{.*?\}\}|<[^>]*>", re.S)


@pytest.mark.parametrize(
    "text",
    [
        "2 clip(s)",
        "Who waits",
        "Done. What is left goes on.",
        "Mended anew",
        "10 clips at least",
        "The cell is no number",
        "The name lies outside",
    ],
)
def test_each_ban_finds_its_kind(text: str) -> None:
    assert faults(text.lower() if text.startswith("Mended") else text)


@pytest.mark.parametrize(
    "text",
    [
        "What is wrong: a row",
        "Which class?",
        "2 clips",
        "at least 10 characters",
        "There is no clip",
        "It is no longer there",
    ],
)
def test_plain_sentences_pass(text: str) -> None:
    assert not faults(text)


@pytest.mark.parametrize("package", PACKAGES)
def test_texts_are_plain(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {', '.join(faults(text))}: {text}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if SPEAKS_AS_CVAT not in path.parts
        for line, text in texts(path)
        if faults(text)
    ]
    assert not found, "\n".join(found)


DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *DOCS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_are_plain(page: Path) -> None:
    found = [f"{', '.join(faults(part))}: {part}" for part in prose_of(page) if faults(part)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_docs_say_one_thought_a_sentence(page: Path) -> None:
    strung = [part for part in prose_of(page) if not part.startswith("|") and SEMICOLONS.search(part)]
    assert not strung, "\n".join(strung)


WRITTEN = sorted([*(ROOT / "ava_ui").rglob("*.js"), *(ROOT / "ava_ui").rglob("*.html")])
"""Scripts and pages of the browser."""


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_texts_of_scripts_are_plain(file: Path) -> None:
    found = [text for text in texts_of_script(file.read_text("utf-8"), file.suffix) if faults(text)]
    assert not found, "\n".join(found)


def test_scripts_and_pages_are_taken_apart_as_they_are_read() -> None:
    script = 'say(`Saved ${this.text("a b")} clip(s)`); other("fine") // Who waits'
    assert list(texts_of_script(script)) == ["Saved … clip(s)", "fine"]
    template = '`<b :title="\'Go to \'" aria-label="2 clip(s)">{{ n }} left</b>`'
    assert list(texts_of_script(template)) == ["'Go to '", "2 clip(s)", "…… left…"]
    assert list(texts_of_script("<script>let a</script><h1>Sign in</h1>", ".html")) == ["Sign in"]
    assert len(PART.split("One.\nStill one.\n\nTwo.\n* three\n| four |")) == 4


def texts_of_script(source: str, suffix: str = ".js") -> Iterator[str]:
    """What a script or page of the browser says: its strings, or its elements; and attributes that are read out."""
    if suffix == ".html":
        pieces = [re.sub(r"<(script|style)\b.*?</\1>", "", source, flags=re.S)]
    else:
        pieces = [match[0][1:-1] for match in SCRIPT_TEXT.finditer(SCRIPT_COMMENT.sub("", source))]
    for piece in pieces:
        yield from (attribute[1] for attribute in SPOKEN.finditer(piece))
        parts = re.split(r"<[^>]*>", piece) if suffix == ".html" else [PLACEHOLDER.sub("…", piece)]
        yield from filter(None, (" ".join(part.split()) for part in parts))


def prose_of(page: Path) -> list[str]:
    """Paragraphs, items and rows of a page on a line each; code is "…"."""
    prose = CODE_BLOCK.sub("", page.read_text("utf-8"))
    return [" ".join(CODE.sub("…", part).split()) for part in PART.split(prose)]


def faults(text: str) -> list[str]:
    """What is wrong with a text, by kind."""
    plain = " ".join(text.split())
    return [] if plain in HEADINGS else [kind for kind, pattern in BANNED.items() if pattern.search(plain)]


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string that reads as words; a placeholder is "…". Help of commands is one, too."""
    tree = ast.parse(path.read_text("utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            ".command(" in ast.unparse(d) for d in node.decorator_list
        ):
            yield node.lineno, ast.get_docstring(node) or ""
        elif isinstance(node, ast.JoinedStr):
            silent.update(id(part) for part in ast.walk(node) if part is not node)
            parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and id(node) not in silent and " " in str(node.value):
            yield node.lineno, str(node.value)
