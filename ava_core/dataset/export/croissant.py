"""Croissant metadata (JSON-LD, MLCommons Croissant 1.0), by which dataset tools find and read a release."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ava_core.dataset.formats.ava import names
from ava_core.dataset.formats.ava.rows import ROW_COLUMNS
from ava_core.dataset.formats.dataset import Dataset
from ava_core.video.media.hashing import hash_file

CONTEXT: Final = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"}, "equivalentProperty": "cr:equivalentProperty",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip
"""The context of the specification, version 1.0."""

_TYPES: Final = {
    "video_id": "sc:Text", "split": "sc:Text", "timestamp": "sc:Integer", "action_id": "sc:Integer",
    "person_id": "sc:Integer", "picture": "sc:Text",
}  # fmt: skip
_COLUMNS: Final = ("split", *ROW_COLUMNS, "picture")


def write_croissant(folder: Path, dataset: Dataset, about: Mapping[str, Any], licence: str) -> None:
    """Write `croissant.json`: the labels as records, and the frames as a set of files.

    Records are described by `lineage.parquet`, which must be there: readers of Croissant take the first line of a
    csv for its header, and AVA's have none.
    """
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
        "citeAs": f"AVA-format action dataset, release {about['name']}, {about['made_at'][:4]}. See {names.CITATION}.",
        "datePublished": about["made_at"][:10],
        "keywords": ["action localisation", "AVA", *(a.name for a in dataset.ontology.actions)],
        "distribution": [
            _labels(folder / names.LINEAGE),
            *([_frames()] if (folder / names.FRAMES).is_dir() else []),
        ],
        "recordSet": [_records()],
    }
    if licence:
        content["license"] = licence
    (folder / names.CROISSANT).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _labels(path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": path.name, "name": path.name,
        "description": "One row per label, with its votes.",
        "contentUrl": path.name, "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": "application/x-parquet", "sha256": hash_file(path),
    }  # fmt: skip


def _frames() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet", "@id": names.FRAMES, "name": names.FRAMES,
        "description": "Every frame of every video at 30 fps, numbered from 1.",
        "encodingFormat": "image/jpeg", "includes": f"{names.FRAMES}/*/*.jpg",
    }  # fmt: skip


def _records() -> dict[str, Any]:
    fields = [
        {
            "@type": "cr:Field", "@id": f"labels/{column}", "name": column,
            "dataType": _TYPES.get(column, "sc:Float"),
            "source": {"fileObject": {"@id": names.LINEAGE}, "extract": {"column": column}},
        }
        for column in _COLUMNS
    ]  # fmt: skip
    return {"@type": "cr:RecordSet", "@id": "labels", "name": "labels", "field": fields}
