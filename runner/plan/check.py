"""Check a spec against the world: its data, its model, its own names. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.data.load import DataFaults, Loaded, load
from runner.data.named import resolved
from runner.errors import Diagnostic, RunnerError, SpecError, did_you_mean
from runner.parts.tasks._task import Task
from runner.plan.base import Base, find
from runner.plan.columns import Columns, columns
from runner.plan.devices import devices
from runner.plan.faults import Faults, Where
from runner.plan.groups import groups
from runner.plan.language import language, scoring, spoken
from runner.plan.names import names
from runner.plan.preparation import preparation, remarks
from runner.plan.transfer import transfer
from runner.spec.read import Spec
from runner.spec.tables import Fresh, Model


@dataclass(frozen=True, eq=False)
class Checked:
    """A spec whose data and model were found and agree with it.

    `labels[task]` is the order of the head's outputs; `counts[task][split][label]` are rows.
    """

    spec: Spec
    base: Base
    loaded: Mapping[str, Loaded]
    labels: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def shown(self) -> dict[str, tuple[str, ...]]:
        """The labels as people shall read them, by task."""
        tasks = self.spec.experiment.tasks
        return {name: tasks[name].shown(labels) for name, labels in self.labels.items()}


@dataclass(eq=False)
class Checker:
    """Checks many specs; a data set or model that several of them name is looked at once.

    Rows that models write are made only if the data shall be `complete`.
    """

    cache: Cache
    complete: bool = False
    seen: dict[Any, Any] = field(default_factory=dict)

    def trials(self, spec: Spec) -> tuple[Checked, ...]:
        """The check of each point of the grid, or of the spec itself; SpecError with the faults of all, each once."""
        found, faults = [], {}
        for each in spec.trials:
            try:
                found.append(self.check(each))
            except SpecError as error:
                faults.update(dict.fromkeys(error.diagnostics))
        if faults:
            raise SpecError(faults)
        return tuple(found)

    def check(self, spec: Spec) -> Checked:
        """Everything that can be known before training; SpecError with all faults at once."""
        faults = Faults(spec)
        used = columns(spec)
        names(spec, faults)
        preparation(spec, used, faults)
        devices(spec, faults)
        fresh = isinstance(spec.experiment.model.base, Fresh)
        base = None if fresh else self.base(spec, faults)
        loaded = {}
        for name in spec.experiment.data:
            if name in used:
                found = None
                if faults.below("data", name):
                    faults.of_data(name, resolved(spec.experiment.data[name].augmentations, spec.folder)[1])
                else:
                    found = self.data(spec, name, used[name], base, faults)
                if found is not None:
                    loaded[name] = found
            else:
                faults.add(
                    "unused-data", ("data", name), f"no task uses the data set `{name}`", "name it in a task's `data`"
                )
        if fresh and not faults.errors:
            base = self.base(spec, faults, loaded)
        labels, counts = {}, {}
        for name, task in spec.experiment.tasks.items():
            if all(each in loaded for each in task.data):
                labels[name], counts[name] = task_labels(name, task, loaded, self.cache, faults)
        scoring(spec, faults)
        groups(spec, loaded, faults)
        if base is not None and not faults.errors:
            spoken(spec, base, loaded, faults)
        if faults.errors:
            raise SpecError(faults.found)
        assert base is not None
        return Checked(spec, base, loaded, labels, counts, tuple(faults.found))

    def data(
        self,
        spec: Spec,
        name: str,
        read: Columns,
        base: Base | None,
        faults: Faults,
    ) -> Loaded | None:
        data = spec.experiment.data[name]
        tokenizer = None
        if any(part.counts_tokens for part in data.cleaners):
            if base is None:
                if isinstance(spec.experiment.model.base, Fresh):
                    message = "a cleaner counts tokens, but the tokenizer is made of cleaned texts"
                    faults.add("clean", ("data", name, "clean"), message, "count characters or words")
                return None
            tokenizer = base.tokenizer_file
        key = (name, data.model_dump_json(), spec.folder.resolve(), read, tokenizer)
        if key not in self.seen:
            try:
                given = (name, data, spec.folder, read.inputs, read.targets, self.cache, tokenizer, self.complete)
                self.seen[key] = load(*given, read.nested, read.classes)
            except RunnerError as error:
                self.seen[key] = error
        found = self.seen[key]
        if isinstance(found, DataFaults):
            faults.of_data(name, found.faults)
            return None
        if isinstance(found, RunnerError):
            faults.add("data", ("data", name), found.message, found.hint)
            return None
        if isinstance(found, Loaded):
            remarks(name, data, found, faults)
        return found if isinstance(found, Loaded) else None

    def base(self, spec: Spec, faults: Faults, loaded: Mapping[str, Loaded] | None = None) -> Base | None:
        model = spec.experiment.model
        key: Any = (str(model.base), model.revision, spec.folder.resolve())
        key += tuple(each.fingerprint for each in (loaded or {}).values())
        try:
            if key not in self.seen:
                self.seen[key] = (
                    find(model, spec.folder, self.cache) if loaded is None else begun(spec, loaded, self.cache)
                )
            base: Base = self.seen[key]
            against_model(spec, base, self.cache, faults)
        except RunnerError as error:
            faults.add("model", ("model", "base"), error.message, error.hint, "value")
            return None
        return base


def task_labels(
    name: str, task: Task, loaded: Mapping[str, Loaded], cache: Cache, faults: Faults
) -> tuple[tuple[str, ...], dict[str, dict[str, int]]]:
    """Names of the head's outputs in their order, and how often each split has each unit of the target."""
    counts: dict[str, dict[str, int]] = {}
    learned: dict[str, set[str]] = {}
    sound = True
    for data in task.data:
        for split in loaded[data].rows:
            rows = counts.setdefault(split, {})
            found = loaded[data].labels[task.target][split]
            if task.surveyed:
                from runner.data.survey import survey

                seen = survey(task, loaded[data], split, cache)
                found = seen.counts
                wrong(name, loaded[data].written[split], seen.wrong, seen.more, faults)
                sound = sound and not seen.wrong
            learned |= {data: set(found)} if split == "train" else {}
            for label, count in found.items():
                rows[label] = rows.get(label, 0) + count
    outputs = task.outputs(counts.get("train", {}))
    for fault in task.faults(name, outputs, counts) if sound else ():
        where = ("tasks", name, *fault.where)
        faults.add("labels", where, fault.message, fault.hint, severity=fault.severity)
    nothing = set(task.nothing)
    if sound:
        unlabelled(name, counts, nothing, faults)
    strangers(name, {data: each & set(outputs) - nothing for data, each in learned.items()}, faults)
    return outputs, counts


def unlabelled(name: str, counts: Mapping[str, Mapping[str, int]], nothing: set[str], faults: Faults) -> None:
    """A head needs something to be judged by in every split."""
    for split, found in counts.items():
        if split != "train" and not sum(count for label, count in found.items() if label not in nothing):
            message = f"no row of {split} has a label of `{name}`: it can't be judged there"
            hint = "add rows with labels, or take another split" if split == "validation" else "add some, or no test"
            faults.add("labels", ("tasks", name, "target"), message, hint)


def strangers(name: str, learned: Mapping[str, set[str]], faults: Faults) -> None:
    """Data sets that share a head, but not one label with any other, are likely to call the same thing by two names."""
    for index, (data, labels) in enumerate(learned.items()):
        others = {label for other, each in learned.items() if other != data for label in each}
        if labels and others and not labels & others:
            message = f"`{data}` shares the head `{name}` with other data sets, but no label: {listed(labels)}"
            hint = f"the others have {listed(others)}; rename labels, or give `{data}` a task of its own"
            faults.add("labels", ("tasks", name, "data", index), message, hint, "value", "warning")


def listed(labels: set[str], most: int = 5) -> str:
    """Some labels in their order."""
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(f"`{label}`" for label in sorted(labels)[:most]) + more


def wrong(name: str, file: str, told: Sequence[str], more: int, faults: Faults) -> None:
    """Values that are no targets, at the word that names their column."""
    if told:
        beyond = f"; and {more} more" if more else ""
        faults.add(
            "target", ("tasks", name, "target"), f"`{file}`: {'; '.join(told)}{beyond}", "mend or drop these rows"
        )


def against_model(spec: Spec, base: Base, cache: Cache, faults: Faults) -> None:
    """What the spec asks of the architecture must be there."""
    model = spec.experiment.model
    if base.hidden < 1 or base.layers < 1:
        faults.add("model", ("model", "base"), f"`{base.written}` has no layers", "choose another model", "value")
    if base.longest is not None and model.max_length > base.longest:
        faults.add(
            "max-length",
            ("model", "max_length"),
            f"`max_length` is {model.max_length}, but `{base.written}` takes at most {base.longest} tokens",
            f"write {base.longest} or less",
            "value",
        )
    language(spec, base, cache, faults)
    virtual(spec, base, faults)
    transfer(spec, base, faults)
    for name, task in spec.experiment.tasks.items():
        stride = task.form.stride
        if stride is not None and 2 * stride > model.max_length:
            message = f"`stride` is {stride}, more than half of `max_length`, which is {model.max_length}"
            faults.add("stride", ("tasks", name, "stride"), message, f"write {model.max_length // 2} or less", "value")
    last = sorted({name.rsplit(".", 1)[-1] for name in base.linears})
    for where, target in targets(model):
        if not any(name == target or name.endswith(f".{target}") for name in base.linears):
            faults.add(
                "adapter-target",
                where,
                f"`{base.written}` has no linear layer `{target}`",
                did_you_mean(target.rsplit(".", 1)[-1], last),
                "value",
            )


def virtual(spec: Spec, base: Base, faults: Faults) -> None:
    """Virtual tokens take room, and not every architecture has a place for them."""
    adapter: Any = spec.experiment.model.adapter
    if adapter is None or not adapter.virtual:
        return
    decoder = base.speaks == "causal"
    if base.speaks == "seq2seq" or (adapter.kind == "prefix_tuning" and not decoder):
        fit = "a decoder" if adapter.kind == "prefix_tuning" else "an encoder or a decoder"
        message = f"`{adapter.kind}` needs {fit}, and `{base.written}` is none"
        faults.add("model", ("model", "adapter", "type"), message, "choose `lora`, or another model", "value")
    longest, limit = base.longest, spec.experiment.model.max_length
    if longest is not None and limit <= longest < limit + adapter.virtual:
        message = f"`max_length` {limit} and {adapter.virtual} virtual tokens are more than `{base.written}` takes"
        faults.add(
            "max-length", ("model", "max_length"), message, f"write {longest - adapter.virtual} or less", "value"
        )


def begun(spec: Spec, loaded: Mapping[str, Loaded], cache: Cache) -> Base:
    """The untrained base that a spec describes."""
    from runner.data.weights import fresh

    base, used = spec.experiment.model.base, columns(spec)
    assert isinstance(base, Fresh)

    def texts() -> Iterator[str]:
        for name, each in loaded.items():
            for column in dict.fromkeys([*used[name].inputs, *used[name].targets]):
                yield from each.splits["train"][column].to_pylist()

    rows = {name: [each.keys["train"], used[name]] for name, each in loaded.items()}
    folder = fresh(base.config, base.vocabulary, texts, rows, cache)
    return Base(f"a fresh {base.config['model_type']}", folder)


def targets(model: Model) -> Iterator[tuple[Where, str]]:
    """The layers that an adapter names."""
    for key in getattr(model.adapter, "naming", ()):
        names = getattr(model.adapter, key)
        yield from ((("model", "adapter", key, at), name) for at, name in enumerate(names) if isinstance(names, list))


def checker(cache: Path, complete: bool = False) -> Checker:
    """A checker that keeps what it reads in a folder."""
    return Checker(Cache(cache), complete)
