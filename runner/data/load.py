"""A data set as the journey needs it: read, cleaned, split, balanced and augmented, from the cache where it can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.cache import manifest
from runner.cache.cache import Cache, fingerprint
from runner.data.account import facts_of, gone_of
from runner.data.clean import Cleaned, clean, cleaners_of
from runner.data.counts import count, counted
from runner.data.faults import DataFaults, Fault, RowFault
from runner.data.named import resolved
from runner.data.packages import packages_faults
from runner.data.read import Origin, read
from runner.data.tables import mapped
from runner.data.training import Training, trainings
from runner.data.wanted import wanted_faults
from runner.errors import RunnerError
from runner.spec.tables import Data

if TYPE_CHECKING:
    import pyarrow as pa

    from runner.parts.augment._augmentation import Places

__all__ = ["DataFaults", "Dropped", "Fault", "File", "Loaded", "load"]

VERSION = 4
SPLITS = ("train", "validation", "test")


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


class Stage(NamedTuple):
    """A cache entry that the data set went through; `split` is empty where it holds all of them.

    There is no entry yet where only work, and no check, may make it; `most` are then the rows that it may have.
    `fresh` says that this process built it.
    """

    stage: str
    split: str
    key: str
    entry: Path | None
    most: int = 0
    fresh: bool = False

    @property
    def built(self) -> tuple[int | None, float | None]:
        """Rows in all its tables, and the seconds that it took whoever built it."""
        about = manifest.read(self.entry) if self.entry else None
        return (manifest.rows(about), about["seconds"]) if about else (None, None)

    @property
    def account(self) -> list[dict[str, Any]]:
        """What its steps did."""
        return facts_of(self.entry) if self.entry else []

    def step(self, data: str) -> str:
        """Its name in a plan and in the log: the files of a data set are cleaned one by one."""
        return f"{self.stage} {data}" + (f" {self.split}" if self.stage == "clean" else "")


@dataclass(frozen=True)
class Loaded:
    """A data set, whose tables are opened when they are asked for.

    `rows[split]` counts rows, `labels[column][split][label]` those of each value of a target; `written[split]` is the
    file that the rows come from, as the spec writes it; `stages` are the cache entries in their order. Where a stage
    is not made yet, train is what goes into it, and the counts are upper bounds. `beside` are files and folders that
    the rows depend on beside those that hold them; `lost[column]` are labels that cleaning took out of train's file
    altogether, with the rows they had.
    """

    name: str
    fingerprint: str
    places: dict[str, Path]
    keys: dict[str, str]
    written: dict[str, str]
    rows: dict[str, int]
    labels: dict[str, dict[str, dict[str, int]]]
    files: list[File]
    stages: list[Stage]
    beside: list[Path]
    lost: dict[str, dict[str, int]]

    @property
    def complete(self) -> bool:
        """Whether all stages are made."""
        return all(stage.entry is not None for stage in self.stages)

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
        return [{**facts, "split": facts["split"] or stage.split} for stage in self.stages for facts in stage.account]

    def dropped(self) -> Iterator[Dropped]:
        """The rows that were left out or flagged, in the order of the steps."""
        names = {**self.written, **{file.split: file.path for file in self.files}}
        for stage in self.stages:
            for each in gone_of(stage.entry) if stage.entry else ():
                split = each.split or stage.split
                yield Dropped(split, names[split], each.line, each.id, *each[3:])


def load(
    name: str,
    data: Data,
    folder: Path,
    inputs: tuple[str, ...],
    targets: tuple[str, ...],
    cache: Cache,
    tokenizer_file: Path | None = None,
    complete: bool = True,
    nested: tuple[str, ...] = (),
    classes: tuple[str, ...] | None = None,
) -> Loaded:
    """Prepare the data set that a spec in `folder` describes; DataFaults with everything that is wrong.

    Targets in `nested` may hold lists or tables, which become JSON; `classes` are those by which rows are sampled and
    balanced, by default all.
    Rows that models write are made only if it shall be `complete`, or taken from the cache.
    """
    origins, faults = read_all(data, folder, cache)
    named, wrong = resolved(data.augmentations, folder)
    faults += wrong
    absent = packages_faults(data)
    faults += wanted_faults(data, origins, inputs, targets, nested) + absent
    cleaned: dict[str, Cleaned] = {}
    for split, origin in origins.items():
        if absent or not origin.holds([*inputs, *targets, *([data.id] if data.id else [])], nested):
            continue
        try:
            cleaned[split] = clean(split, origin, data, inputs, targets, cache, tokenizer_file)
        except DataFaults as error:
            faults += error.faults
        except RowFault as error:
            at = list(cleaners_of(data, split))[error.place]
            faults.append(Fault(("clean", at), f"`{origin.written}` {error.message}", error.hint))
    if faults:
        raise DataFaults(name, faults)
    key, why = split_key(data, {split: each.key for split, each in cleaned.items()})

    def build(entry: Path) -> Mapping[str, Any]:
        from runner.data.splitting import write_splits  # loads numpy, which known data do without

        return write_splits(name, data, origins, cleaned, inputs, targets, entry)

    entry = cache.make("split", key, build, why)
    by = targets if classes is None else classes
    return finished(name, data, origins, cleaned, key, entry, inputs, targets, by, named, cache, complete)


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


def split_key(data: Data, files: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Key and inputs of the stage `split`: all that decides which rows a split has; `files` are keys of `clean`."""
    rules = {name: rule.model_dump(by_alias=True, exclude_none=True) for name, rule in data.rules.items()}
    why = {"files": dict(files), "rules": rules, "leakage": data.leakage, "version": VERSION}
    return fingerprint({"stage": "split", **why}), why


def finished(
    name: str,
    data: Data,
    origins: Mapping[str, Origin],
    cleaned: Mapping[str, Cleaned],
    key: str,
    entry: Path,
    inputs: Sequence[str],
    targets: Sequence[str],
    classes: Sequence[str],
    named: Sequence[Places],
    cache: Cache,
    complete: bool,
) -> Loaded:
    """The data set of a stage `split`, balanced and augmented as the spec asks."""
    about = counted(entry)
    files = cache.manifest("split", key)["files"]
    written = {split: origins[about["origin"][split]].written for split in SPLITS if split in about["origin"]}
    places = {split: entry / f"{split}.arrow" for split in written}
    keys = contents_of(files, written)
    own = [("clean", split, each.key, each.entry) for split, each in cleaned.items()] + [("split", "", key, entry)]
    stages = [Stage(*each, fresh=(each[0], each[2]) in cache.built) for each in own]
    rows, labels = about["rows"], about["labels"]
    for training in trainings(data, inputs, targets, classes, named, cache):
        last, why = training.key(keys)
        key, keys["train"] = fingerprint([key, last]), last
        if training.most is not None and not complete and cache.find(training.stage, last) is None:
            about = training.most(places)
            stages.append(Stage(training.stage, "train", last, None, about["rows"]["train"]))
        else:
            entry = cache.make(training.stage, last, partial(rewritten, training, dict(places), targets), why)
            fresh = (training.stage, last) in cache.built
            stages.append(Stage(training.stage, "train", last, entry, fresh=fresh))
            places["train"] = entry / "train.arrow"
            about = counted(entry)
        rows = rows | about["rows"]
        labels = {target: labels[target] | about["labels"][target] for target in labels}
    listed = [File(split, o.written, o.sha256, o.rows, o.bytes) for split, o in origins.items()]
    beside = [path for each in named for path in each.values()]
    beside += [path for part in data.augmentations.values() for path in part.reads()]
    lost = cache.manifest("clean", cleaned["train"].key).get("lost", {})
    return Loaded(name, key, places, keys, written, rows, labels, listed, stages, beside, lost)


def contents_of(files: Mapping[str, Any], splits: Iterable[str]) -> dict[str, str]:
    """The hash of what each split holds, by the files of a manifest of the stage `split`."""
    return {split: str(files[f"{split}.arrow"]["sha256"]) for split in splits}


def rewritten(training: Training, places: Mapping[str, Path], targets: Sequence[str], entry: Path) -> Mapping[str, Any]:
    """Build a stage that writes train anew."""
    training.write(places, entry)
    return {"rows": count(entry, ["train"], targets)["rows"]}


def constant(text: str, count: int) -> pa.Array:
    """A column that repeats one text, from bytes: Arrow's conversions of Python values load pandas (0.3 s)."""
    import pyarrow as pa

    data = text.encode()
    ends = pa.py_buffer(bytes(4) + len(data).to_bytes(4, "little"))
    words = pa.StringArray.from_buffers(1, ends, pa.py_buffer(data))
    zeros = pa.py_buffer(bytes(4 * count))
    return pa.DictionaryArray.from_buffers(pa.dictionary(pa.int32(), pa.string()), count, [None, zeros], words)
