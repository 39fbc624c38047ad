# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 emailsec.cloudflare contributors

"""The OpenAPI contract beside this file, as validators."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from .files import load_yaml

_URI = "urn:contract"


def document() -> dict[str, Any]:
    """The contract as plain data."""
    return load_yaml("openapi.yaml")


@cache
def _registry() -> Registry[Any]:
    registry: Registry[Any] = Registry().with_resource(_URI, DRAFT202012.create_resource(document()))
    return registry


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{_URI}#{pointer}"}, registry=_registry())


def flaw(schema: str, value: Any) -> tuple[str, str] | None:
    """Where (JSON pointer) and how the value breaks a named schema, or None."""
    for mistake in _validator(f"/components/schemas/{schema}").iter_errors(value):
        return "".join(f"/{step}" for step in mistake.absolute_path), mistake.message
    return None


@cache
def _parameters(method: str, path: str) -> dict[str, tuple[Any, Draft202012Validator]]:
    """The type and the validator of each query parameter of an operation."""
    found = {}
    for index, given in enumerate(document()["paths"][path][method].get("parameters", ())):
        pointer = f"/paths/{path.replace('/', '~1')}/{method}/parameters/{index}"
        parameter = given
        if "$ref" in given:
            pointer = given["$ref"].removeprefix("#")
            parameter = document()["components"]["parameters"][pointer.rpartition("/")[2]]
        found[parameter["name"]] = parameter["schema"].get("type", "string"), _validator(f"{pointer}/schema")
    return found


def _typed(kinds: str | list[str], text: str) -> Any:
    """The value that the text stands for, if it is of one of these types; else the text."""
    if "integer" in kinds and text.removeprefix("-").isdecimal():
        return int(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text


def read_query(method: str, path: str, query: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], list[str], list[str]]:
    """The typed parameters of a query, the names that the contract lacks, and what is wrong with the others."""
    known = _parameters(method.lower(), path)
    values: dict[str, Any] = {}
    unknown: list[str] = []
    wrong: list[str] = []
    for name, text in query:
        if name not in known:
            unknown.append(name)
            continue
        if name in values:
            wrong.append(f"{name}: given twice")
        kinds, validator = known[name]
        values[name] = _typed(kinds, text)
        wrong += [f"{name}: {mistake.message}" for mistake in validator.iter_errors(values[name])]
    return values, unknown, wrong
