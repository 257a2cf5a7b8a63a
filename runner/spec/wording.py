"""One fault that pydantic found, in the author's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from runner import kinds
from runner.errors import did_you_mean, nearest
from runner.spec.fields import Path, annotation_at, describe, family_of, shape, takes, unknown

WORDS = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "an array", dict: "a table"}
EXPECTED = {
    "int_type": "an integer",
    "float_type": "a number",
    "string_type": "a string",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


class Found(NamedTuple):
    """A fault of pydantic's: its type, what it knows besides, its sentence, where, and what stands there.

    `others` are the faults of the other branches of a union that miss a type.
    """

    kind: str
    context: Mapping[str, Any]
    message: str
    path: Path
    value: Any
    tables: Any
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last word of the path; an entry of an array is called by its place, counted from 1."""
        last = self.path[-1] if self.path else "the file"
        return f"entry {last + 1} of `{self.path[-2]}`" if isinstance(last, int) else f"`{last}`"


class Said(NamedTuple):
    """The fault in words; `path` is where it is shown, at the key or at the value."""

    code: str
    message: str
    hint: str
    path: Path
    what: Literal["key", "value"] = "value"


def said(found: Found) -> Said:
    """The fault in words."""
    return WORDINGS.get(found.kind, wrong_type)(found)


def unknown_key(found: Found) -> Said:
    message = f"unknown key {found.name}{within(found.path)}"
    return Said("unknown-key", message, unknown(found.path, found.tables), found.path, "key")


def missing_key(found: Found) -> Said:
    message = f"{found.name} is missing{within(found.path)}"
    return Said("missing-key", message, describe(found.path, found.tables), found.path, "key")


def missing_kind(found: Found) -> Said:
    key, allowed = found.context["key"], found.context["allowed"]
    meant = nearest(key, found.value) or next((each for each in found.value if found.value[each] in allowed), "")
    if meant:
        path = (*found.path, meant)
        return Said("unknown-key", f"unknown key `{meant}`{within(path)}", f"did you mean `{key}`?", path, "key")
    message = f"`{key}` is missing{within((*found.path, key))}"
    return Said("missing-key", message, did_you_mean("", allowed), found.path, "key")


def unknown_kind(found: Found) -> Said:
    word, key = str(found.context["found"]), found.context["key"]
    message = f"{found.message} `{word}`"
    path = (*found.path, key) if key else found.path
    return Said("unknown-kind", message, did_you_mean(word, found.context["allowed"]), path)


def out_of_bounds(found: Found) -> Said:
    key, words = BOUNDS[found.kind]
    message = f"{found.name} is {found.value}, but must be {words} {found.context[key]:g}{or_else(found)}"
    return Said("out-of-bounds", message, describe(found.path, found.tables), found.path)


def wrong_size(found: Found) -> Said:
    return Said(
        "out-of-bounds", f"{found.name}: {lower(found.message)}", describe(found.path, found.tables), found.path
    )


def bad_name(found: Found) -> Said:
    hint = "letters, digits, dots, dashes and underscores, at most 64, the first a letter or digit"
    if isinstance(found.value, str):
        return Said("bad-name", f"`{found.value}` is no name", hint, found.path)
    return Said("bad-name", f"{found.name} is no name", hint, found.path, "key")


def conflict(found: Found) -> Said:
    return Said("conflict", found.message, "", found.path, "key")


def bad_value(found: Found) -> Said:
    key, hint = found.context["key"], found.context["hint"]
    path = (*found.path, key) if key else found.path
    return Said("bad-value", found.message, hint or describe(path, found.tables), path)


def unknown_word(found: Found) -> Said:
    allowed = [word.strip("' ") for word in found.context["expected"].replace(" or ", ",").split(",")]
    inside = isinstance(found.path[-1], int)
    message = f"`{found.path[-2]}` holds `{found.value}`" if inside else f"{found.name} is `{found.value}`"
    hint = did_you_mean(str(found.value), allowed) + or_else(found)
    return Said("unknown-word", message, hint, found.path)


def wrong_type(found: Found) -> Said:
    wanted = EXPECTED.get(found.kind, lower(found.message)) + or_else(found)
    message = f"{found.name} is {kind_of(found.value)}, but should be {wanted}"
    return Said("wrong-type", message, rewritten(found) or describe(found.path, found.tables), found.path)


def rewritten(found: Found) -> str:
    """How the same value is written where a table or an array is wanted."""
    if found.kind == "dict_type" and "allowed" in found.context and isinstance(found.value, str):
        near = nearest(found.value, found.context["allowed"])
        if near:
            return f'write `{{ {found.context["key"]} = "{near}" }}`'
        return did_you_mean(found.value, found.context["allowed"])
    if found.kind == "list_type":
        return in_brackets(found)
    return ""


def in_brackets(found: Found) -> str:
    """The array that holds the value alone, if the field takes such a value."""
    wanted = annotation_at(found.path, found.tables)
    family = family_of(wanted)
    if family is not None and isinstance(found.value, dict):
        return "write it in brackets: `[{ ... }]`"
    if family is not None:
        near = nearest(str(found.value), kinds.names(family.family))
        return f'write `[{{ {family.key} = "{near}" }}]`' if near else ""
    return f"write `[{json.dumps(found.value, ensure_ascii=False)}]`" if takes(wanted, [found.value]) else ""


def kind_of(value: Any) -> str:
    """TOML's word for what a value is."""
    return WORDS.get(type(value), type(value).__name__)


def or_else(found: Found) -> str:
    """What the other branches of a union take."""
    said = [EXPECTED[kind] for kind in found.others]
    form = shape(annotation_at(found.path, found.tables)) if "a table" in said else ""
    return "".join(f", or {form if form and each == 'a table' else each}" for each in dict.fromkeys(said))


def lower(message: str) -> str:
    """Pydantic's sentence inside one of ours."""
    return message[:1].lower() + message[1:]


def within(path: Path) -> str:
    """The table that a key stands in, in words."""
    *table, last = path[:-1] or ("",)
    if isinstance(last, int):
        return f" in entry {last + 1} of [{'.'.join(map(str, table))}]"
    return f" in [{'.'.join(map(str, (*table, last)))}]" if last else ""


WORDINGS: dict[str, Callable[[Found], Said]] = {
    "extra_forbidden": unknown_key,
    "missing": missing_key,
    "missing_kind": missing_kind,
    "unknown_kind": unknown_kind,
    **dict.fromkeys(BOUNDS, out_of_bounds),
    **dict.fromkeys(("too_short", "too_long", "string_too_short", "finite_number"), wrong_size),
    "string_pattern_mismatch": bad_name,
    "one_way": conflict,
    "bad_value": bad_value,
    "literal_error": unknown_word,
}
