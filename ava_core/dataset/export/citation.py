"""CITATION.cff: how to cite a release (Citation File Format 1.2.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ava_core.dataset.formats.ava import names


def write_citation(folder: Path, about: Mapping[str, Any], authors: Sequence[str], licence: str) -> None:
    """Write `CITATION.cff`; `about` as `provenance.describe` gives it, authors as `Family, Given` or a name."""
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it.",
        "type": "dataset",
        "title": f"AVA-format action dataset, release {about['name']}",
        "version": about["name"],
        "date-released": about["made_at"][:10],
        "authors": [_author(author) for author in authors] or [{"name": "The dataset's authors"}],
    }
    if licence:
        # The format allows identifiers of SPDX alone under `license`; any other wording goes beside it.
        content["license" if " " not in licence else "license-url" if "://" in licence else "abstract"] = (
            licence
        )
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / names.CITATION).write_text(text, "utf-8")


def _author(author: str) -> dict[str, str]:
    family, comma, given = author.partition(",")
    if not comma:
        return {"name": author.strip()}
    return {"family-names": family.strip(), "given-names": given.strip()}
