"""A data set as the journey needs it: read, cleaned, split, balanced and augmented, from the cache where it can be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.data.cache import Cache, fingerprint
from runner.data.faults import DataFaults, Fault
from runner.data.read import Origin, read
from runner.data.tables import mapped, taken, write
from runner.errors import RunnerError
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

    from runner.data.clean import Cleaned
    from runner.data.prepare import Prepared
    from runner.data.split import Rows

__all__ = ["DataFaults", "Dropped", "Fault", "File", "Loaded", "load"]

VERSION = 3
SPLITS = ("train", "validation", "test")
ABOUT = "about.json"


class File(NamedTuple):
    """A file that a split was read from; `path` as the spec writes it, rows before any was dropped."""

    split: str
    path: str
    sha256: str
    rows: int
    bytes: int


class Dropped(NamedTuple):
    """A row that was left out, or only flagged; `split` is the one whose file it stands in, `step` what found it.

    `twin` is the id of the row that it repeats; `text` is the beginning of its text.
    """

    split: str
    file: str
    line: int
    id: str
    step: str
    reason: str
    twin: str
    flagged: bool
    text: str


@dataclass(frozen=True)
class Loaded:
    """A data set, whose tables are opened when they are asked for.

    `rows[split]` counts rows, `labels[column][split][label]` those of each value of a target; `written[split]` is the
    file that the rows come from, as the spec writes it; `stages` are the cache entries (stage, split, key, folder).
    """

    name: str
    fingerprint: str
    places: dict[str, Path]
    keys: dict[str, str]
    written: dict[str, str]
    rows: dict[str, int]
    labels: dict[str, dict[str, dict[str, int]]]
    files: list[File]
    stages: list[tuple[str, str, str, Path]]

    @cached_property
    def splits(self) -> dict[str, pa.Table]:
        """Tables with `id`, `line`, `file` and the columns of the files; inputs and targets are strings."""
        return {split: self.table(split) for split in self.written}

    def table(self, split: str) -> pa.Table:
        """The rows of one split, memory-mapped."""
        found = mapped(self.places[split])
        return found.add_column(2, "file", constant(self.written[split], found.num_rows))

    @property
    def account(self) -> list[dict[str, Any]]:
        """What each step of preparation did, in their order."""
        from runner.data.account import facts_of

        return [
            {**facts, "split": facts["split"] or split}
            for _, split, _, entry in self.stages
            for facts in facts_of(entry)
        ]

    def dropped(self) -> Iterator[Dropped]:
        """The rows that were left out or flagged, in the order of the steps."""
        from runner.data.account import gone_of

        names = {**self.written, **{file.split: file.path for file in self.files}}
        for _, stage_split, _, entry in self.stages:
            for each in gone_of(entry):
                split = each.split or stage_split
                yield Dropped(split, names[split], each.line, each.id, *each[3:])


def load(
    name: str,
    data: Data,
    folder: Path,
    inputs: tuple[str, ...],
    targets: tuple[str, ...],
    cache: Cache,
    tokenizer_file: Path | None = None,
) -> Loaded:
    """Prepare the data set that a spec in `folder` describes; DataFaults with everything that is wrong."""
    from runner.data.clean import clean
    from runner.data.prepare import reserved

    origins, faults = read_all(data, folder, cache)
    faults += reserved([*inputs, *targets])
    cleaned: dict[str, Cleaned] = {}
    for split, origin in origins.items():
        try:
            cleaned[split] = clean(split, origin, data, inputs, targets, cache, tokenizer_file)
        except DataFaults as error:
            faults += error.faults
        except ModuleNotFoundError as error:
            needs = f"a cleaner needs the package `{error.name}`, which is not installed"
            raise DataFaults(name, [Fault(("clean",), needs, "`pip install 'runner[clean]'`")]) from error
    if faults:
        raise DataFaults(name, faults)
    why = inputs_of(data, cleaned)
    key = fingerprint({"stage": "split", **why})

    def build(entry: Path) -> Mapping[str, Any]:
        return write_splits(name, data, origins, cleaned, inputs, targets, entry)

    entry = cache.make("split", key, build, why)
    return finished(name, data, origins, cleaned, key, entry, inputs, targets, cache)


def read_all(data: Data, folder: Path, cache: Cache) -> tuple[dict[str, Origin], list[Fault]]:
    """Every split that is a file, and a fault for each that can't be read."""
    origins, faults = {}, []
    for split_name in SPLITS:
        written = getattr(data, split_name)
        if isinstance(written, str):
            try:
                origins[split_name] = read(written, folder, data.format, cache)
            except RunnerError as error:
                faults.append(Fault((split_name,), error.message, error.hint))
    return origins, faults


def inputs_of(data: Data, cleaned: Mapping[str, Cleaned]) -> dict[str, Any]:
    """All that decides which rows a split has."""
    rules = {name: rule.model_dump(by_alias=True, exclude_none=True) for name, rule in data.rules.items()}
    files = {name: each.key for name, each in cleaned.items()}
    return {"files": files, "rules": rules, "leakage": data.leakage, "version": VERSION}


def write_splits(
    name: str,
    data: Data,
    origins: Mapping[str, Origin],
    cleaned: Mapping[str, Cleaned],
    inputs: Sequence[str],
    targets: Sequence[str],
    entry: Path,
) -> dict[str, Any]:
    """Build the stage `split`: a table a split without rows that leak, and how often each label occurs."""
    from runner.data.account import batch_of, keep
    from runner.data.leakage import leaks
    from runner.data.prepare import unique_ids
    from runner.data.split import split

    faults: list[Fault] = []
    files = {each: found.prepared for each, found in cleaned.items()}
    if data.id is not None:
        unique_ids({each: (origins[each].written, files[each]) for each in files}, faults)
    rows = split(data, files, faults)
    empty = [each for each in rows if not len(rows[each].index)]
    faults += [empty_split(each, data, origins, cleaned, rows) for each in empty if not faults]
    if faults:
        raise DataFaults(name, faults)
    for split_name, part in rows.items():
        write(entry / f"{split_name}.arrow", taken(renamed(files[part.origin]), part.index))
    tallies, gone = leaks(entry, list(rows), inputs, data.leakage)
    faults = leak_faults(data, tallies, entry)
    if faults:
        raise DataFaults(name, faults)
    keep(entry, tallies, [batch_of(gone)])
    about = {"origin": {each: part.origin for each, part in rows.items()}, **counts(entry, list(rows), targets)}
    (entry / ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    return {"rows": about["rows"]}


def leak_faults(data: Data, tallies: Sequence[Any], entry: Path) -> list[Fault]:
    """Rows that leak where that is an error, and a split that has no other rows."""
    faults = []
    for tally in tallies:
        if not tally.dropped:
            continue
        said = ", ".join(f"{count:,} {reason}" for reason, count in tally.dropped.items())
        first = next(iter(tally.samples.values()))[0]
        message = f"of {tally.rows:,} rows of `{tally.split}` these leak: {said}; such as {first['before']!r}"
        if data.leakage == "error":
            faults.append(Fault(("leakage",), message, 'take them out, or write `leakage = "drop"`'))
        elif not mapped(entry / f"{tally.split}.arrow").num_rows:
            faults.append(Fault((tally.split,), f"`{tally.split}` would be empty: {message}", "name other rows"))
    return faults


def counts(entry: Path, splits: Sequence[str], targets: Sequence[str]) -> dict[str, Any]:
    """Rows of each split and of each label."""
    tables = {name: mapped(entry / f"{name}.arrow") for name in splits}
    labels = {target: {name: tally(table, target) for name, table in tables.items()} for target in targets}
    return {"rows": {name: table.num_rows for name, table in tables.items()}, "labels": labels}


def tally(table: pa.Table, column: str) -> dict[str, int]:
    """Rows by label."""
    import pyarrow.compute as pc

    found = pc.value_counts(table[column])
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def renamed(prepared: Prepared) -> pa.Table:
    """The rows with `id` and `line` in front."""
    table = prepared.table
    kept = [name for name in table.column_names if name not in ("id", "_content", "_line")]
    return table.select(["id", "_line", *kept]).rename_columns(["id", "line", *kept])


def empty_split(
    name: str, data: Data, origins: Mapping[str, Origin], cleaned: Mapping[str, Cleaned], rows: Mapping[str, Rows]
) -> Fault:
    """Why a split has no rows."""
    rule = data.rules.get(name)
    if rule is not None:
        source = rows[rule.from_]
        count = len(source.index)
        share = f"fraction {rule.fraction:g}" if rule.fraction else f"`{rule.column}`"
        message = f"`{name}` would be empty: {share} of the {count} rows of `{rule.from_}` gives none"
        return Fault((name,), message, "take a larger fraction, or name a file")
    written = origins[name].written
    if cleaned[name].prepared.table.num_rows:
        return Fault((name,), f"`{name}` would be empty: the other splits take all rows of `{written}`")
    for facts in cleaned[name].account:
        if facts["rows"] and not facts["kept"]:
            lost = ", ".join(f"{count:,} {reason}" for reason, count in facts["dropped"].items())
            if facts["step"] == "read":
                lost = f"all rows of `{written}` ({facts['rows']}) lack a text or label"
                return Fault((name,), f"`{name}` would be empty: {lost}")
            places: list[Any] = [at for at, part in enumerate(data.clean) if getattr(part, "kind", "") == facts["step"]]
            message = (
                f"`{name}` would be empty: `{facts['step']}` drops all {facts['rows']} rows of `{written}`: {lost}"
            )
            return Fault(("clean", places[0]), message, "loosen it, or leave it out")
    return Fault((name,), f"`{name}` would be empty: `{written}` has no rows")


def finished(
    name: str,
    data: Data,
    origins: Mapping[str, Origin],
    cleaned: Mapping[str, Cleaned],
    key: str,
    entry: Path,
    inputs: Sequence[str],
    targets: Sequence[str],
    cache: Cache,
) -> Loaded:
    """The data set of a stage `split`, balanced and augmented as the spec asks."""
    from runner.data import balance as balancing

    about = json.loads((entry / ABOUT).read_bytes())
    files = cache.manifest("split", key)["files"]
    written = {split: origins[about["origin"][split]].written for split in SPLITS if split in about["origin"]}
    places = {split: entry / f"{split}.arrow" for split in written}
    keys = {split: str(files[f"{split}.arrow"]["sha256"]) for split in written}
    stages = [("clean", split, each.key, each.entry) for split, each in cleaned.items()] + [("split", "", key, entry)]
    rows, labels = about["rows"], about["labels"]
    for stage, why, build in later(data, inputs, targets, balancing):
        why = {"split": key, **why}
        key = fingerprint({"stage": stage, **why})
        made = cache.make(stage, key, partial(build, dict(places)), why)
        places["train"], keys["train"] = made / "train.arrow", key
        stages.append((stage, "train", key, made))
        found = counts(made, ["train"], targets)
        rows = rows | found["rows"]
        labels = {target: labels[target] | found["labels"][target] for target in labels}
    listed = [File(split, o.written, o.sha256, o.rows, o.bytes) for split, o in origins.items()]
    return Loaded(name, key, places, keys, written, rows, labels, listed, stages)


def later(data: Data, inputs: Sequence[str], targets: Sequence[str], balancing: Any) -> Iterator[tuple[str, Any, Any]]:
    """The stages after `split` that the spec asks for: name, what decides them, and how they are built."""
    if balancing.wanted(data):

        def balanced(places: Mapping[str, Path], entry: Path) -> Mapping[str, Any]:
            return dict(balancing.balance(places["train"], data, targets, entry))

        yield "balance", balancing.rules(data, targets), balanced
    if data.augment:
        from runner.data import augment as augmenting

        parts: Any = data.augment

        def augmented(places: Mapping[str, Path], entry: Path) -> Mapping[str, Any]:
            others = [path for split, path in places.items() if split != "train"]
            return augmenting.augment(places["train"], others, parts, inputs, targets, entry)

        fields = [part.model_dump(mode="json") for part in data.augment]
        yield "augment", {"augment": fields, "version": augmenting.VERSION}, augmented


def constant(text: str, count: int) -> pa.Array:
    """A column that repeats one text, from bytes: Arrow's conversions of Python values load pandas (0.3 s)."""
    import pyarrow as pa

    data = text.encode()
    ends = pa.py_buffer(bytes(4) + len(data).to_bytes(4, "little"))
    words = pa.StringArray.from_buffers(1, ends, pa.py_buffer(data))
    zeros = pa.py_buffer(bytes(4 * count))
    return pa.DictionaryArray.from_buffers(pa.dictionary(pa.int32(), pa.string()), count, [None, zeros], words)
