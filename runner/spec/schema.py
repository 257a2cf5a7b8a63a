"""The JSON schema of specs, for editors and linters; `python -m runner.spec.schema` writes it to schemas/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.spec.tables import Experiment

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "urn:runner:schema:experiment"
FILE = Path(__file__).parents[2] / "schemas" / "experiment.schema.json"

Node = dict[str, Any]


def schema() -> Node:
    """Draft 2020-12 over all tables and all kinds of parts, in TOML's terms: there is no null."""
    made = Experiment.model_json_schema(by_alias=True)
    definitions: dict[str, Node] = {}
    for name, node in made.pop("$defs", {}).items():
        definitions[name] = tidy(node, definitions, root=True)
    body = tidy(made, definitions, root=True)
    whole = needs(body, definitions)
    body["if"], body["else"] = {"required": ["extends"], "additionalProperties": True}, whole
    return {"$schema": DIALECT, "$id": NAME, **body, "title": "Experiment of runner", "$defs": definitions}


def needs(node: Node, definitions: dict[str, Node]) -> Node:
    """Take the required keys out of a table and those below: a spec that extends another may write parts of tables.

    Linters that take each subschema for a closed table want to hear that others may add keys.
    """
    node = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")  # without the word that tells the kind several may fit
        return {"anyOf": [needs_of_kind(each, definitions) for each in node["anyOf"]]}
    found: Node = {"required": node.pop("required")} if "required" in node else {}
    for key in ("properties", "patternProperties"):
        inner = {name: below for name, each in node.get(key, {}).items() if (below := needs(each, definitions))}
        found |= {key: inner} if inner else {}
    return {**found, "additionalProperties": True} if found else {}


def needs_of_kind(node: Node, definitions: dict[str, Node]) -> Node:
    """The same of one kind of a part, for tables that have its word."""
    table = definitions[node["$ref"].rpartition("/")[2]]
    words = {name: {"const": each["const"]} for name, each in table["properties"].items() if "const" in each}
    found = needs(node, definitions)
    return {**found, "properties": {**found.get("properties", {}), **words}, "additionalProperties": True}


def tidy(node: Node, definitions: dict[str, Node], root: bool = False) -> Node:
    """The node without null and field titles; tables of parts become definitions, named by their word."""
    node = without_null(node)
    for key in ("properties", "patternProperties"):
        if key in node:
            node[key] = {name: tidy(each, definitions) for name, each in node[key].items()}
    for key in ("anyOf", "oneOf", "allOf"):
        if key in node:
            node[key] = [tidy(each, definitions) for each in node[key]]
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            node[key] = tidy(node[key], definitions)
    if len(node.get("anyOf", ())) == 1:
        node = {**node.pop("anyOf")[0], **node}
    if "patternProperties" in node:
        node.setdefault("additionalProperties", False)
    if "properties" not in node:
        node.pop("title", None)
        return node
    return named(node) if root else reference(named(node), definitions)


def without_null(node: Node) -> Node:
    """A copy without the branch and the default that TOML cannot write."""
    node = {key: value for key, value in node.items() if key != "default" or value is not None}
    if isinstance(node.get("default"), dict):
        node["default"] = {key: value for key, value in node["default"].items() if value is not None}
    if "anyOf" in node:
        node["anyOf"] = [each for each in node["anyOf"] if each != {"type": "null"}]
    return node


def named(node: Node) -> Node:
    """A part's table needs the word that tells its kind, even where its class has a default for it."""
    words = [name for name, each in node["properties"].items() if "const" in each]
    needed = [*words, *(name for name in node.get("required", ()) if name not in words)]
    return {**node, "required": needed} if needed else node


def reference(node: Node, definitions: dict[str, Node]) -> Node:
    """Put a table among the definitions and point there; the field's own sentence stays at the field."""
    words = [each["const"] for each in node["properties"].values() if "const" in each]
    name = "".join(map(str.capitalize, words[0].split("_"))) if words else str(node.get("title", "Table"))
    node = {**node, "title": name}
    while definitions.setdefault(name, node) != node:
        name += "_"
    return {"$ref": f"#/$defs/{name}"}


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
