"""Where synonyms come from: a table in the spec, a file of the author's, or a wordnet that the package `wn` knows."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from runner.errors import RunnerError, did_you_mean, nearest
from runner.parts.augment._augmentation import Augmentation, Parent, Places, Refused, Variants
from runner.parts.tasks._task import Fault, Text

WordTable = Annotated[dict[Text, Annotated[list[Text], Field(min_length=1)]], Field(min_length=1)]
LookUp = Callable[[str], Sequence[str]]
COLUMNS = ("word", "synonym")
HEADER = "the columns `word` and `synonym`"
WITHIN = re.compile(r"\w(?:.*\w)?")
SEPARATORS = {".csv": ",", ".tsv": "\t"}


class Synonymous(Augmentation):
    """An augmentation that needs synonyms: the fields that say whence, and `vary` for a kind to do."""

    files: ClassVar[tuple[str, ...]] = ("table",)

    table: WordTable | Text | None = None
    """Synonyms by word, or a file (csv, tsv, jsonl) with the columns `word` and `synonym`; or write `wordnet`."""
    wordnet: Text | None = None
    """Lexicon of the package `wn` whose words of the same meaning are synonyms, such as `oewn:2024`."""

    @model_validator(mode="after")
    def one_source(self) -> Synonymous:
        if (self.table is None) == (self.wordnet is None):
            raise PydanticCustomError("one_way", "write either `table` or `wordnet`")
        return self

    def vary(self, text: str, synonyms: LookUp, rng: Random) -> str:
        """A variant of the text, with the synonyms of a word in any letters; none for a word without."""
        raise NotImplementedError

    def ready(self, places: Places) -> Variants:
        synonyms = self.look_up(places)

        def variants(parents: Iterable[Parent]) -> Iterator[str | Refused]:
            for parent in parents:
                yield self.vary(parent.text, synonyms, parent.rng)

        return variants

    def look_up(self, places: Places) -> LookUp:
        """The synonyms of a word."""
        if self.wordnet is not None:
            return in_wordnet(self.wordnet)
        table = self.table if isinstance(self.table, dict) else of_file(places["table"])
        return lowered(table)

    def faults(self, places: Places) -> Iterator[Fault]:
        try:
            if self.wordnet is not None:
                lexicons(self.wordnet)
            elif "table" in places:
                of_file(places["table"])
        except RunnerError as error:
            field = "table" if self.wordnet is None else "wordnet"
            yield Fault((field,), error.message, error.hint)

    def meaning(self) -> dict[str, Any]:
        return {} if self.wordnet is None else {"wordnet": lexicons(self.wordnet)}

    def reads(self) -> Sequence[Path]:
        return [] if self.wordnet is None else [Path(package().config.database_path)]


def lowered(table: Mapping[str, Sequence[str]]) -> LookUp:
    """Look a word up in small letters."""
    small: dict[str, list[str]] = {}
    for word, synonyms in table.items():
        small.setdefault(word.lower(), []).extend(synonyms)
    return lambda word: small.get(word.lower(), ())


def bare(word: str) -> str:
    """The word without the punctuation around it."""
    found = WITHIN.search(word)
    return found[0] if found else word


def of_file(path: Path) -> dict[str, list[str]]:
    """Synonyms by word; RunnerError where a row lacks one of the two."""
    found: dict[str, list[str]] = {}
    try:
        for line, row in enumerate(rows(path), 1):
            has_columns(f"`{path.name}`, row {line},", row)
            word, synonym = row["word"], row["synonym"]
            if not isinstance(word, str) or not isinstance(synonym, str) or not word.strip() or not synonym.strip():
                hint = "write a text in both columns, or take the row out"
                raise RunnerError(f"`{path.name}`, row {line}: no `word` with a `synonym`", hint)
            found.setdefault(word.strip(), []).append(synonym.strip())
    except (ValueError, csv.Error) as error:
        raise RunnerError(f"`{path.name}` can't be read: {error}", "save it as csv, tsv or jsonl in UTF-8") from error
    if not found:
        raise RunnerError(f"`{path.name}` has no rows", f"write {HEADER}")
    return found


def rows(path: Path) -> Iterator[Mapping[Any, Any]]:
    """The rows of a csv, tsv or jsonl file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix in SEPARATORS:
            table = csv.DictReader(file, delimiter=SEPARATORS[path.suffix])
            has_columns(f"`{path.name}`", table.fieldnames or COLUMNS)
            yield from table
            return
        for line in file if path.suffix == ".jsonl" else ():
            row = json.loads(line)
            yield row if isinstance(row, dict) else {}
    if path.suffix != ".jsonl":
        raise RunnerError(f"`{path.name}` is no table of synonyms", "save it as csv, tsv or jsonl")


def has_columns(what: str, columns: Collection[Any]) -> None:
    """RunnerError where one of the two columns lacks, with what it may be called instead."""
    for name in COLUMNS:
        if name not in columns:
            found = [str(each) for each in columns]
            near = nearest(name, [each for each in found if each not in COLUMNS])
            listed = ", ".join(f"`{each}`" for each in found) or "nothing"
            hint = f"did you mean `{near}`? name it `{name}`" if near else f"it has {listed}; write {HEADER}"
            raise RunnerError(f"{what} has no column `{name}`", hint)


def package() -> Any:
    """The package `wn`."""
    try:
        import wn
    except ModuleNotFoundError as error:
        raise RunnerError(
            "`wordnet` needs the package `wn`, which is not installed", "`pip install 'runner[wn]'`"
        ) from (error)
    return wn


def lexicons(written: str) -> list[str]:
    """The full names, such as `oewn:2024`, of what `wn` has under a name; RunnerError where it has nothing."""
    wn = package()
    installed = sorted(each.specifier() for each in wn.lexicons())
    try:
        found = sorted(each.specifier() for each in wn.lexicons(lexicon=written))
    except wn.Error:  # it raises this only where it has other lexicons
        found = []
    if not found:
        hint = did_you_mean(written, installed) if installed else f"`python -m wn download {written}` installs it"
        raise RunnerError(f"`wn` has no lexicon `{written}`", hint)
    return found


def in_wordnet(lexicon: str) -> LookUp:
    """Words that share a meaning with a word, sorted; none for a word that the lexicon lacks."""
    wordnet = package().Wordnet(lexicon)

    @cache
    def synonyms(word: str) -> Sequence[str]:
        lemmas = {lemma.replace("_", " ") for synset in wordnet.synsets(word) for lemma in synset.lemmas()}
        return sorted(each for each in lemmas if each.lower() != word)

    return lambda word: synonyms(word.lower())
