"""The field that a path of a spec stands for: its annotation, the table that it takes, its sentence."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from runner import kinds
from runner.errors import did_you_mean
from runner.spec.tables import Experiment

Path = tuple[str | int, ...]


def at(tables: Any, path: Path) -> Any:
    """The value of a path, None where nobody wrote it."""
    for step in path:
        try:
            tables = tables[step]
        except (KeyError, IndexError, TypeError):
            return None
    return tables


def annotation_at(path: Path, tables: Any) -> Any:
    """What the field of a path takes, found by following the annotations; None for what is no field."""
    found: Any = Experiment
    here = tables
    for step in path:
        inside = pick(found, here)
        if is_table(inside):
            named = {info.alias or name: info for name, info in inside.model_fields.items()}
            found = marked(named[str(step)]) if step in named else None
        else:
            found = get_args(inside)[-1] if get_args(inside) else None
        here = at(here, (step,))
    return found


def marked(info: Any) -> Any:
    """A field's annotation with the marks that pydantic took from it."""
    from typing import Annotated

    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def pick(annotation: Any, value: Any) -> Any:
    """The class of a field's value: a table, a dict or list of them, or the named kind of a family."""
    for mark in getattr(annotation, "__metadata__", ()):
        if isinstance(mark, kinds.Family):
            name = value.get(mark.key) if isinstance(value, dict) else None
            return kinds.pick(mark.family, name) if kinds.known(mark.family, name) else None
    if is_table(annotation) or get_origin(annotation) in (dict, list):
        return annotation
    return next((found for each in get_args(annotation) if (found := pick(each, value)) is not None), None)


def family_of(annotation: Any) -> kinds.Family | None:
    """The family whose parts an array holds."""
    found = [mark for mark in getattr(annotation, "__metadata__", ()) if isinstance(mark, kinds.Family)]
    return found[0] if found else next((inner for each in get_args(annotation) if (inner := family_of(each))), None)


def takes(annotation: Any, value: Any) -> bool:
    """Whether a field takes this value."""
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def is_table(annotation: Any) -> bool:
    """Whether an annotation is the class of a table."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def model_at(path: Path, tables: Any) -> type[BaseModel] | None:
    """The table class that describes a path."""
    model = pick(annotation_at(path, tables), at(tables, path))
    return model if is_table(model) else None


def unknown(path: Path, tables: Any) -> str:
    """What the author may have meant by an unknown key."""
    model = model_at(path[:-1], tables)
    allowed = [info.alias or name for name, info in model.model_fields.items()] if model else []
    name = str(path[-1])
    for table, info in Experiment.model_fields.items():
        kind: Any = info.annotation
        if is_table(kind) and name in kind.model_fields and path[:-1] != (table,):
            return f"it belongs in [{table}]"
    return did_you_mean(name, allowed) if allowed else "leave it out"


def describe(path: Path, tables: Any) -> str:
    """The field's own sentence."""
    model = model_at(path[:-1], tables)
    if model is None or not issubclass(model, kinds.Table):
        return ""
    names = {info.alias or name: name for name, info in model.model_fields.items()}
    text = kinds.sentences(model).get(names.get(str(path[-1]), ""), "")
    return " ".join(text.partition("\n\n")[0].split("\n"))


def shape(annotation: Any) -> str:
    """How the table of a field is written: `{ cap = N }`; nothing where a table needs no key, or any."""
    model = pick(annotation, None)
    needed = [info for info in model.model_fields.items() if info[1].is_required()] if is_table(model) else []
    pairs = [f"{info.alias or name} = {'N' if info.annotation is int else '...'}" for name, info in needed]
    return f"`{{ {', '.join(pairs)} }}`" if pairs else ""
