"""What MkDocs calls while it builds the site: generated pages come in, links to files of the project stay readable.

Run by `mkdocs build` (`make docs`), which finds this file by the entry `hooks` of `mkdocs.yml`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from reference import PAGES

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
FROM_ROOT: Final = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
"""Pages that lie where people and forges look for them, and are pages of the site, too."""
LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and those of the project's root."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    for name in FROM_ROOT:
        text = (ROOT / name).read_text("utf-8")
        files.append(File.generated(config, name.lower(), content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files that are no pages into the files' names."""
    uri = page.file.src_uri
    folder = ROOT if uri in {name.lower() for name in FROM_ROOT} else (DOCS / uri).parent
    depth = "../" * uri.count("/")

    def rewritten(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        path = (folder / target).resolve()
        if path.is_relative_to(DOCS):
            inside = path.relative_to(DOCS).as_posix()
            if folder == ROOT:
                return f"[{text}]({depth}{inside}{anchor})"
            return link[0]
        if path.parent == ROOT and path.name in FROM_ROOT:
            return f"[{text}]({depth}{path.name.lower()}{anchor})"
        return text if text.startswith("`") else f"{text} (`{path.relative_to(ROOT)}`)"

    return LINK.sub(rewritten, markdown)
