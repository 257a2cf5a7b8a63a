"""What pydantic found -> faults at their places, in the author's words."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from runner import kinds
from runner.errors import Diagnostic, did_you_mean
from runner.spec.places import Places
from runner.spec.tables import Experiment

Path = tuple[str | int, ...]
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


def diagnose(error: ValidationError, tables: dict[str, Any], places: Places) -> list[Diagnostic]:
    """One fault a place, in the order of the text."""
    chosen: dict[Path, tuple[int, Any]] = {}
    for fault in error.errors(include_url=False):
        path = written(fault["loc"], tables, fault["type"] == "missing")
        rank = relevance(fault, at(tables, path))
        if path not in chosen or rank > chosen[path][0]:
            chosen[path] = (rank, fault)
    inner = {path for path in chosen for other in chosen if other != path and other[: len(path)] == path}
    found = [one(fault, path, tables, places) for path, (_, fault) in chosen.items() if path not in inner]
    return sorted(found, key=lambda each: (each.file, each.line, each.column))


def written(location: tuple[str | int, ...], tables: Any, missing: bool) -> Path:
    """The path as the author wrote it: names of union branches, which pydantic puts in between, are left out."""
    path: list[str | int] = []
    here = tables
    for index, step in enumerate(location):
        if isinstance(here, dict) and (step in here or (missing and index == len(location) - 1)):
            path.append(step)
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            path.append(step)
            here = here[step]
    return tuple(path)


def at(tables: Any, path: Path) -> Any:
    """The value of a path, None where nobody wrote it."""
    for step in path:
        try:
            tables = tables[step]
        except (KeyError, IndexError, TypeError):
            return None
    return tables


def relevance(fault: Any, value: Any) -> int:
    """Among the faults of one place's union branches, the one of the branch that fits the written type says most."""
    misfit = fault["type"] in ("literal_error", "enum") and not isinstance(value, str)
    return 0 if misfit or fault["type"] in EXPECTED else 1


def one(fault: Any, path: Path, tables: dict[str, Any], places: Places) -> Diagnostic:
    """The fault in words, at its place."""
    kind, context = fault["type"], fault.get("ctx", {})
    name = str(path[-1]) if path else "the file"
    value = at(tables, path)
    code, what, message, hint = "wrong-type", "value", "", ""
    if kind == "extra_forbidden":
        code, what = "unknown-key", "key"
        message, hint = f"unknown key `{name}`{within(path)}", unknown(path, tables)
    elif kind == "missing" or kind == "missing_kind":
        code, what = "missing-key", "key"
        key = context.get("key", name)
        table = path if kind == "missing_kind" else path[:-1]
        message = f"`{key}` is missing{within((*table, key))}"
        hint = did_you_mean("", context["allowed"]) if "allowed" in context else describe(path)
    elif kind == "unknown_kind":
        code, message = "unknown-kind", f"unknown {context['family']} kind `{context['found']}`"
        hint = did_you_mean(str(context["found"]), context["allowed"])
        path = (*path, context["key"]) if context["key"] else path
    elif kind in BOUNDS:
        key, words = BOUNDS[kind]
        code, message, hint = (
            "out-of-bounds",
            f"`{name}` is {value}, but must be {words} {context[key]:g}",
            describe(path),
        )
    elif kind in ("too_short", "too_long", "string_too_short", "finite_number"):
        code, message, hint = "out-of-bounds", f"`{name}`: {lower(fault['msg'])}", describe(path)
    elif kind == "string_pattern_mismatch":
        code, message = "bad-name", f"`{value}` is no name"
        hint = "letters, digits, dots, dashes and underscores, at most 64, the first a letter or digit"
    elif kind == "one_way":
        code, what, message = "conflict", "key", fault["msg"]
    elif kind == "literal_error":
        code, message = "unknown-word", f"`{name}` is `{value}`"
        hint = did_you_mean(
            str(value), [word.strip("' ") for word in context["expected"].replace(" or ", ",").split(",")]
        )
    else:
        found = WORDS.get(type(value), type(value).__name__)
        message = f"`{name}` is {found}, but should be {EXPECTED.get(kind, lower(fault['msg']))}"
        hint = describe(path)
    place = places.place(path, what)  # type: ignore[arg-type]
    return Diagnostic(code, message, place.file, place.line, place.column, place.end_column, path, hint)


def lower(message: str) -> str:
    """Pydantic's sentence inside one of ours."""
    return message[:1].lower() + message[1:]


def within(path: Path) -> str:
    """The table that a key stands in, in words."""
    return f" in [{'.'.join(map(str, path[:-1]))}]" if len(path) > 1 else ""


def model_at(path: Path, tables: Any) -> type[BaseModel] | None:
    """The table class that describes a path, found by following the annotations as far as they are classes."""
    from typing import get_args

    model: Any = Experiment
    here = tables
    for step in path:
        here = at(here, (step,))
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = {info.alias or name: info for name, info in model.model_fields.items()}
            if step not in fields:
                return None
            info = fields[str(step)]
            model = pick(info.annotation, [*info.metadata], here)
        elif model is not None:
            args = get_args(model)
            inner = args[-1] if args else None
            model = pick(inner, [], here)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def pick(annotation: Any, metadata: list[Any], value: Any) -> Any:
    """The class of a field's value: a table, a dict of tables, or the named kind of a family."""
    from typing import get_args, get_origin

    for mark in [*metadata, *getattr(annotation, "__metadata__", ())]:
        if isinstance(mark, kinds.Family):
            name = value.get(mark.key) if isinstance(value, dict) else None
            return kinds.pick(mark.family, name) if name in kinds.names(mark.family) else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (dict, list):
        return annotation
    return next((found for each in get_args(annotation) if (found := pick(each, [], value)) is not None), None)


def unknown(path: Path, tables: Any) -> str:
    """What the author may have meant by an unknown key."""
    model = model_at(path[:-1], tables)
    allowed = [info.alias or name for name, info in model.model_fields.items()] if model else []
    name = str(path[-1])
    for table, info in Experiment.model_fields.items():
        kind = info.annotation
        if (
            isinstance(kind, type)
            and issubclass(kind, BaseModel)
            and name in kind.model_fields
            and path[:-1] != (table,)
        ):
            return f"it belongs in [{table}]"
    return did_you_mean(name, allowed) if allowed else "leave it out"


def describe(path: Path) -> str:
    """The field's own sentence, if it is a fixed one."""
    model: Any = Experiment
    for step in path[:-1]:
        field = model.model_fields.get(step)
        model = pick(field.annotation, [], None) if field else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return ""
    return kinds.sentences(model).get(str(path[-1]), "") if path else ""
