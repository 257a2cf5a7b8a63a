"""Labelled: what tasks share that choose one label, with or without an order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runner.errors import did_you_mean
from runner.parts.tasks._task import Counts, Fault, Task, Text

if TYPE_CHECKING:
    import numpy as np

    from runner.parts.tasks._reading import Reading

SHOWN = 5  # unknown labels that a message lists


class Labelled(Task):
    """One label a text, of those that train has or the spec lists."""

    labels: Annotated[list[Text], Field(min_length=2)] | None = None
    """The labels as the data write them, in the order of the head's outputs; default: those of train, sorted."""
    label_names: dict[str, Text] = Field(default={})
    """Names to show instead of the labels that the data write, such as { "-1" = "negative" }."""

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(self.labels) if self.labels else tuple(sorted(train))

    def shown(self, outputs: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.label_names.get(label, label) for label in outputs)

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        at = ("labels",) if self.labels else ("target",)
        if len(outputs) < 2:
            yield Fault(at, f"`{name}` has {len(outputs)} label in train: nothing to learn", "check `target`")
        lacking = "`labels` lacks" if self.labels else "train lacks"
        for split, seen in counts.items():
            unknown = sorted(set(seen) - set(outputs))
            if unknown:
                listed = ", ".join(f"`{label}` ({seen[label]} rows)" for label in unknown[:SHOWN])
                hint = "add rows to train (or raise `sample`), mend the labels, or take those rows out"
                yield Fault(at, f"{split} has labels that {lacking}: {listed}", hint)
        for label in outputs:
            yield from self.rows(label, at, counts)
        yield from self.words(name, outputs)

    def rows(self, label: str, at: tuple[str, ...], counts: Counts) -> Iterator[Fault]:
        """A label must have rows in train, and should have some elsewhere."""
        if not counts.get("train", {}).get(label):
            yield Fault(at, f"label `{label}` has no row in train", "take it out of `labels`, or add rows")
            return
        for split in ("validation", "test"):
            if split in counts and not counts[split].get(label):
                message = f"label `{label}` has no row in {split}: its scores there are unknown"
                hint = f'add rows there; where it is taken out of another split: `stratify = "{self.target}"`'
                yield Fault(at, message, hint, "warning")

    def words(self, name: str, outputs: Sequence[str]) -> Iterator[Fault]:
        """Tables by label must name labels, and no two labels may be shown alike."""
        for key in ("label_names", "class_weights"):
            value = getattr(self, key, None)
            for label in sorted(set(value) - set(outputs)) if isinstance(value, dict) else []:
                yield Fault((key, label), f"`{label}` is no label of `{name}`", did_you_mean(label, outputs))
        shown = self.shown(outputs)
        for label, word in zip(outputs, shown, strict=True):
            if label in self.label_names and shown.count(word) > 1:
                message = f"two labels of `{name}` would both be shown as `{word}`"
                yield Fault(("label_names", label), message, "name each label apart")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """Class indices."""
        import numpy as np

        position = {label: index for index, label in enumerate(outputs)}
        return np.fromiter((position[label] if label is not None else 0 for label in values), np.int64, len(values))

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
        """Probabilities by label."""
        return dict(zip(outputs, map(float, said), strict=True))
