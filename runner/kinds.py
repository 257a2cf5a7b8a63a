"""Families of parts: a family is a folder in `parts/`, a kind is a file there, named by the word people write in TOML.

A third party adds a kind by the entry point group `runner.<family>`; only the module that a spec names is imported.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from runner.errors import RunnerError, did_you_mean

if TYPE_CHECKING:
    import ast

# What a kind of a family is called in a sentence.
NOUNS = {
    "adapters": "kind of adapter",
    "augment": "kind of augmentation",
    "cleaners": "kind of cleaner",
    "judges": "kind of judge",
    "metrics": "metric",
    "mixing": "strategy of mixing",
    "proxies": "kind of proxy",
    "sources": "format",
    "tasks": "kind of task",
}


class Table(BaseModel):
    """A TOML table: frozen, strict about types, no unknown key."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    # Fields that came later than others: they enter the key of a trial only where they are used.
    later: ClassVar[tuple[str, ...]] = ()

    def used(self) -> dict[str, Any]:
        """JSON-compatible values of all fields but those that came later and are left as they always were."""
        fields = type(self).model_fields
        unused = {name for name in self.later if getattr(self, name) == fields[name].get_default()}
        found = self.model_dump(mode="json", by_alias=True, exclude=unused)
        below = {name: table for name, table in self if isinstance(table, Table) and table.later}
        return found | {fields[name].alias or name: table.used() for name, table in below.items()}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler(schema)
        describe(cls, handler.resolve_ref_schema(made))
        return made


def describe(table: type[Table], node: dict[str, Any]) -> None:
    """Put the fields' sentences into the JSON schema of a table."""
    said = {table.model_fields[name].alias or name: text for name, text in sentences(table).items()}
    for key, field in node["properties"].items():
        if key in said:
            field["description"] = said[key]


@cache
def sentences(table: type[Table]) -> dict[str, str]:
    """The sentence below each field, by the field's name; read from the source when somebody asks.

    pydantic's `use_attribute_docstrings` would read all sources at every start, a fifth of the time of `validate`.
    """
    import ast
    import textwrap

    said: dict[str, str] = {}
    for each in reversed(table.__mro__):
        if issubclass(each, Table) and each is not Table:
            try:
                (body,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
            except (OSError, TypeError):  # a class without a source, such as one made while a program runs
                continue
            assert isinstance(body, ast.ClassDef)
            said |= dict(found for pair in pairwise(body.body) if (found := sentence(*pair)))
    return said


def sentence(field: ast.stmt, below: ast.stmt) -> tuple[str, str] | None:
    """A field's name and the string that follows it."""
    import ast

    match field, below:
        case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
            return name, inspect.cleandoc(text)
    return None


class Part(Table):
    """One kind of a family: its fields are what people write, its methods what it does.

    Each subclass sets `kind`, the name of its file, and ends its docstring with a TOML example that the suite runs.
    """

    kind: ClassVar[str] = ""


def bad_value(why: str, hint: str = "", key: str = "") -> PydanticCustomError:
    """The error of a value that has the right type; `key` names its field where a whole table is checked."""
    return PydanticCustomError("bad_value", "{why}", {"why": why, "hint": hint, "key": key})


@cache
def plugins(family: str) -> dict[str, EntryPoint]:
    """Kinds that other installed packages offer for a family."""
    return {point.name: point for point in installed().select(group=f"runner.{family}")}


@cache
def installed() -> Any:
    """The entry points of all packages; finding them costs 10 ms."""
    return entry_points()


@cache
def own(family: str) -> frozenset[str]:
    """The kinds of a family that are files of this package."""
    package = importlib.import_module(f"runner.parts.{family}")
    return frozenset(each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.startswith("_"))


def known(family: str, name: object) -> bool:
    """Whether a spec may use this word for the family; other packages are only asked about words that are not ours."""
    return isinstance(name, str) and (name in own(family) or name in plugins(family))


@cache
def names(family: str) -> tuple[str, ...]:
    """The words a spec may use for this family, sorted."""
    return tuple(sorted(own(family) | set(plugins(family))))


@cache
def pick(family: str, name: str) -> type[Part]:
    """The class behind a word; importing nothing but its module."""
    if not known(family, name):
        raise RunnerError(f"unknown {NOUNS[family]} `{name}`", did_you_mean(name, names(family)))
    if name not in own(family):
        return cast(type[Part], plugins(family)[name].load())
    module = importlib.import_module(f"runner.parts.{family}.{name}")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Part)
        and value.kind == name
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} must define exactly one Part with kind = {name!r}")
    return found[0]


class Family:
    """Annotation of a field that holds one part of a family, told apart by the value of one word.

    `Annotated[Part, Family("tasks")]` validates by the named kind's own fields and yields a JSON schema over all kinds.
    """

    def __init__(self, family: str, word: str = "type") -> None:
        self.family = family
        self.key = word

    def word(self) -> Word:
        """Annotation of a field that holds only the name of a kind."""
        return Word(self.family)

    def build(self, value: Any) -> Part:
        """The part that a table describes."""
        if isinstance(value, Part):
            return value
        if not isinstance(value, dict):
            raise PydanticCustomError("dict_type", "Input should be a valid dictionary", self.facts())
        if self.key not in value:
            raise PydanticCustomError("missing_kind", "`{key}` is missing", self.facts())
        return pick(self.family, Word(self.family, self.key).check(value[self.key])).model_validate(value)

    def facts(self) -> dict[str, Any]:
        """What a message may need."""
        return {"key": self.key, "allowed": list(names(self.family))}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.build,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda part, info: part.model_dump(mode=info.mode, by_alias=True), info_arg=True
            ),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        kinds = []
        for part in (pick(self.family, name) for name in names(self.family)):
            kinds.append(handler(part.__pydantic_core_schema__))
            describe(part, handler.resolve_ref_schema(kinds[-1]))
        return {"oneOf": kinds} if len(kinds) > 1 else kinds[0]


class Word:
    """Annotation of a string that must name a kind of a family."""

    def __init__(self, family: str, key: str = "") -> None:
        self.family = family
        self.key = key

    def check(self, value: Any) -> str:
        """The word itself where the family has it."""
        if not known(self.family, value):
            raise PydanticCustomError(
                "unknown_kind",
                "unknown {noun}",
                {"noun": NOUNS[self.family], "key": self.key, "found": value, "allowed": list(names(self.family))},
            )
        return str(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": list(names(self.family))}
