"""Multilabel: any number of labels for a text or a pair of texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.answers.answers import Answers, Shape
from runner.answers.sets import Sets
from runner.kinds import Family
from runner.parts.tasks._task import Counts, Fault, Place, Task, Text

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading

SHOWN = 5  # unknown labels that a message lists


class Multilabel(Task):
    """Say yes or no to each label, by binary cross-entropy; the threshold of a yes is tuned on validation.

    The target is a list of labels, which may be empty; a text that is no JSON list is one label.

    ```toml
    type = "multilabel"
    data = ["comments"]
    target = "labels"
    metrics = ["micro_f1", "macro_f1", "average_precision"]
    ```
    """

    kind: ClassVar[str] = "multilabel"
    shape: ClassVar[Shape] = Sets
    nested: ClassVar[bool] = True
    surveyed: ClassVar[bool] = True

    type: Literal["multilabel"]
    """The kind of task."""
    target: Text = "labels"
    """Column of the lists of labels. Default labels."""
    labels: Annotated[list[Text], Field(min_length=1)] | None = None
    """The labels as the data write them, in the order of the head's outputs; default: those of train, sorted."""
    threshold: Literal["tuned"] | Annotated[float, Field(gt=0, lt=1)] = "tuned"
    """Probability from which a label is predicted; `tuned` for the best micro F1 on validation. Default tuned."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["micro_f1", "macro_f1"]
    )
    """Scores to compute; the first one enters `combined`. Default micro_f1 and macro_f1."""

    @property
    def tunes(self) -> bool:
        return self.threshold == "tuned"

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        return listed(value)

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(self.labels) if self.labels else tuple(sorted(train))

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        at = ("labels",) if self.labels else ("target",)
        if not outputs:
            yield Fault(at, f"`{name}` has no label in train: nothing to learn", "check `target`")
        for split, seen in counts.items():
            unknown = sorted(set(seen) - set(outputs))
            if unknown:
                told = ", ".join(f"`{label}` ({seen[label]} rows)" for label in unknown[:SHOWN])
                lacking = "`labels` lacks" if self.labels else "train lacks"
                yield Fault(at, f"{split} has labels that {lacking}: {told}", "add rows to train, or list the `labels`")
        for label in outputs:
            if not counts.get("train", {}).get(label):
                yield Fault(at, f"label `{label}` has no row in train", "take it out of `labels`, or add rows")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """Ones where a label is, float32 of shape [examples, labels]."""
        import numpy as np

        position = {label: index for index, label in enumerate(outputs)}
        found = np.zeros((len(values), len(outputs)), np.float32)
        for row, value in enumerate(values):
            for label in listed(value) if value is not None else ():
                found[row, position[label]] = 1
        return found

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Surprise at all decisions of each example together, shape [examples], in nats."""
        import torch.nn.functional as F

        return F.binary_cross_entropy_with_logits(output.logits.float(), output.target, reduction="none").sum(-1)

    def answer(self, output: Output) -> np.ndarray:
        """Probabilities, a float64 array of shape [examples, labels]."""
        found: np.ndarray = output.logits.double().sigmoid().cpu().numpy()
        return found

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Sets:
        import numpy as np

        gold = self.targets(values, place.labels, None) > 0  # type: ignore[arg-type]
        probabilities = np.array(said, np.float64).reshape(len(values), len(place.labels))
        threshold = 0.5 if self.threshold == "tuned" else self.threshold
        return Sets(*place, gold, probabilities >= threshold, probabilities)

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
        """The labels that are predicted, and the probabilities of all."""
        threshold = 0.5 if self.threshold == "tuned" else self.threshold
        chances = dict(zip(outputs, map(float, said), strict=True))
        return {"labels": [label for label, chance in chances.items() if chance >= threshold], "probabilities": chances}

    def tuned(self, answers: Answers) -> dict[str, Any]:
        """The `threshold` between two probabilities at which micro F1 is best; of several the highest."""
        import numpy as np

        assert isinstance(answers, Sets)
        if self.threshold != "tuned" or not answers.gold.any():
            return {}
        order = np.argsort(-answers.probabilities, axis=None, kind="stable")
        ordered, hits = answers.probabilities.ravel()[order], np.cumsum(answers.gold.ravel()[order])
        scores = 2 * hits / (np.arange(1, len(order) + 1) + hits[-1])
        scores[:-1][ordered[1:] == ordered[:-1]] = -1  # no threshold comes between equal ones
        best = int(scores.argmax())
        below = ordered[best + 1] if best + 1 < len(ordered) else 0.0
        return {"threshold": float((ordered[best] + below) / 2)}

    def settled(self, answers: Answers, tuned: Mapping[str, Any]) -> Answers:
        assert isinstance(answers, Sets)
        return answers.above(tuned["threshold"]) if "threshold" in tuned else answers


def listed(value: str) -> list[str]:
    """The labels of one value of the target, each once; ValueError where it is no list of texts."""
    if not value.startswith("["):
        return [value]
    try:
        found = json.loads(value)
    except ValueError:
        raise ValueError(f"`{value[:40]}` begins like a list, but is none") from None
    strange = [each for each in found if not isinstance(each, str | int) or isinstance(each, bool)]
    if strange:
        raise ValueError(f"`{json.dumps(strange[0])}` is no label: write a list of texts")
    return list(dict.fromkeys(map(str, found)))
