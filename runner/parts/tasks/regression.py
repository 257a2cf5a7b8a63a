"""Regression: a number for a text or a pair of texts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from runner.answers.answers import Shape
from runner.answers.quantities import Quantities
from runner.kinds import Family, bad_value
from runner.parts.tasks._task import Counts, Fault, Place, Task, Text

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading


class Regression(Task):
    """Give a number, by squared error or Huber's loss.

    The head learns numbers of mean 0 and variance 1: those of train set the scale, so that losses of tasks compare.

    ```toml
    type = "regression"
    data = ["reviews"]
    target = "score"
    bounds = [-4, 4]
    ```
    """

    kind: ClassVar[str] = "regression"
    shape: ClassVar[Shape] = Quantities
    surveyed: ClassVar[bool] = True

    type: Literal["regression"]
    """The kind of task."""
    target: Text = "score"
    """Column of the number. Default score."""
    bounds: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    """Least and greatest number: others in the data are refused, answers are cut to them. Default none."""
    loss_function: Literal["mse", "huber"] = "mse"
    """Squared error, or Huber's, which grows linearly from one standard deviation on. Default mse."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["pearson", "mean_absolute_error"]
    )
    """Scores to compute; the first one enters `combined`. Default pearson and mean_absolute_error."""

    @model_validator(mode="after")
    def ordered(self) -> Regression:
        if self.bounds and self.bounds[0] >= self.bounds[1]:
            raise bad_value(
                f"`bounds` go from {self.bounds[0]:g} to {self.bounds[1]:g}", "the lower one first", "bounds"
            )
        return self

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        """The number."""
        return (repr(self.number(value)),)

    def number(self, value: str) -> float:
        """The number of one value of the target; ValueError where it is none, or out of bounds."""
        try:
            found = float(value)
        except ValueError:
            raise ValueError(f"`{value[:40]}` is no number") from None
        if not math.isfinite(found):
            raise ValueError(f"`{value}` is not finite")
        if self.bounds and not self.bounds[0] <= found <= self.bounds[1]:
            raise ValueError(f"{value} lies outside of {self.bounds[0]:g} to {self.bounds[1]:g}")
        return found

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        """Mean and standard deviation in train, as `mean=M` and `sd=S`: the one output counts in these."""
        rows = sum(train.values())
        mean = sum(float(value) * count for value, count in train.items()) / max(rows, 1)
        variance = sum((float(value) - mean) ** 2 * count for value, count in train.items()) / max(rows, 1)
        return (f"mean={mean!r}", f"sd={math.sqrt(variance) or 1.0!r}")

    def heading(self, outputs: Sequence[str]) -> str:
        mean, deviation = scale(outputs)
        return f"a number, in train {mean:.4g} on average with a standard deviation of {deviation:.4g}"

    def width(self, outputs: Sequence[str]) -> int:
        return 1

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        if len(counts.get("train", {})) < 2:
            yield Fault(("target",), f"`{name}` has but one number in train: nothing to learn", "check `target`")
        for split in ("validation", "test"):
            if len(counts.get(split, {"": 0, " ": 0})) < 2:
                message = f"`{name}` has but one number in {split}: correlations and R2 are unknown there"
                yield Fault(("target",), message, "add rows there, or measure errors", "warning")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """Numbers of mean 0 and variance 1 in train, float32 of shape [examples]."""
        import numpy as np

        mean, deviation = scale(outputs)
        raw = np.array([mean if value is None else float(value) for value in values], np.float64)
        found: np.ndarray = ((raw - mean) / deviation).astype(np.float32)
        return found

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Loss of each example, shape [examples], in variances of train."""
        import torch.nn.functional as F

        found = output.logits.float().squeeze(-1)
        if self.loss_function == "huber":  # twice torch's, so that near zero it is the squared error
            return 2 * F.huber_loss(found, output.target, reduction="none")
        return (found - output.target) ** 2

    def answer(self, output: Output) -> np.ndarray:
        """Numbers on the head's scale, float64 of shape [examples]."""
        found: np.ndarray = output.logits.double().squeeze(-1).cpu().numpy()
        return found

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Quantities:
        import numpy as np

        mean, deviation = scale(place.labels)
        predicted = np.array(said, np.float64).reshape(len(values)) * deviation + mean
        if self.bounds:
            predicted = predicted.clip(self.bounds[0], self.bounds[1])
        return Quantities(*place, np.array(list(map(float, values)), np.float64), predicted)

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> float:
        """The number."""
        mean, deviation = scale(outputs)
        found = float(said) * deviation + mean
        return min(max(found, self.bounds[0]), self.bounds[1]) if self.bounds else found


def scale(outputs: Sequence[str]) -> tuple[float, float]:
    """Mean and standard deviation of train."""
    mean, deviation = (float(text.partition("=")[2]) for text in outputs)
    return mean, deviation
