"""Answers held against the OpenAPI schema of the real server."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from jsonschema.exceptions import best_match
from openapi_schema_validator import OAS30ReadValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

ADDRESS = "urn:cvat"


class OpenApi:
    """CVAT's `schema.yml`: which JSON an operation answers, and what of an answer breaks that."""

    def __init__(self, path: Path) -> None:
        self._document = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._validators: dict[str, Any] = {}

    def schema_of(self, method: str, path: str, status: int) -> str | None:
        """The name of the schema of an operation's answer, `None` where the document gives none."""
        for pattern, operations in self._operations:
            if not pattern.fullmatch(path.rstrip("/")) or method.lower() not in operations:
                continue
            answer = operations[method.lower()]["responses"].get(str(status), {})
            for content in answer.get("content", {}).values():
                reference = content["schema"].get("$ref", "")
                return reference.removeprefix("#/components/schemas/") or None
        return None

    def violations(self, name: str, value: Any) -> set[str]:
        """How a value breaks a schema of the document: `field: reason`, without places in lists."""
        found = set()
        for error in self._validator(name).iter_errors(value):
            deepest = best_match([error]) or error
            where = ".".join("[]" if isinstance(part, int) else str(part) for part in deepest.absolute_path)
            found.add(f"{where}: {deepest.validator} {deepest.message[:120]}")
        return found

    @cached_property
    def _operations(self) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
        # Paths without parameters come first, so that `/users/self` is not taken for a user's id.
        paths = sorted(self._document["paths"], key=lambda path: path.count("{"))
        return [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", p.rstrip("/"))), self._document["paths"][p])
            for p in paths
        ]

    @cached_property
    def _registry(self) -> Any:
        resource = Resource.from_contents(self._document, default_specification=DRAFT4)
        return Registry().with_resource(ADDRESS, resource)

    def _validator(self, name: str) -> Any:
        if name not in self._validators:
            schema = {"$ref": f"{ADDRESS}#/components/schemas/{name}"}
            self._validators[name] = OAS30ReadValidator(schema, registry=self._registry)
        return self._validators[name]
