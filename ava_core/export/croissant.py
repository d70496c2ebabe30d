"""Croissant metadata (JSON-LD, MLCommons Croissant 1.0), by which dataset tools find and read a release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ava_core.export.dataset import Dataset
from ava_core.export.rows import ROW_COLUMNS
from ava_core.export.splits import SPLITS
from ava_core.media.source_videos import hash_file

FILE: Final = "croissant.json"

CONTEXT: Final = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The context of the specification, version 1.0."""

_TYPES: Final = {
    "video_id": "sc:Text",
    "timestamp": "sc:Integer",
    "action_id": "sc:Integer",
    "person_id": "sc:Integer",
}


def write_croissant(folder: Path, dataset: Dataset, about: Mapping[str, Any], licence: str) -> None:
    """Write `croissant.json`: every annotation csv as a file and as records, and the frames as a set of files."""
    files = [folder / "annotations" / f"ava_{split}_v2.2.csv" for split in SPLITS]
    content: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": f"ava-release-{about['name']}",
        "description": f"{dataset.title}: spatio-temporal action labels in AVA format, ontology "
        f"{dataset.ontology.name} {dataset.ontology.version}; {dataset.rows.height} labels in "
        f"{len(dataset.split_of)} videos.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "version": "1.0.0",
        "alternateName": about["name"],
        "datePublished": about["made_at"][:10],
        "keywords": ["action localisation", "AVA", *(a.name for a in dataset.ontology.actions)],
        "distribution": [*map(_file, files), _frames()],
        "recordSet": [_records(path) for path in files],
    }
    if licence:
        content["license"] = licence
    (folder / FILE).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _file(path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": path.name, "name": path.name,
        "contentUrl": f"annotations/{path.name}", "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": "text/csv", "sha256": hash_file(path),
    }  # fmt: skip


def _frames() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet", "@id": "frames", "name": "frames",
        "description": "Every frame of every video at 30 fps, numbered from 1.",
        "encodingFormat": "image/jpeg", "includes": "frames/*/*.jpg",
    }  # fmt: skip


def _records(path: Path) -> dict[str, Any]:
    """The rows of a csv; it has no header, so columns go by their place."""
    name = path.stem.removesuffix("_v2.2")
    fields = [
        {
            "@type": "cr:Field", "@id": f"{name}/{column}", "name": column,
            "dataType": _TYPES.get(column, "sc:Float"),
            "source": {"fileObject": {"@id": path.name}, "extract": {"column": str(number)}},
        }
        for number, column in enumerate(ROW_COLUMNS)
    ]  # fmt: skip
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": fields}
