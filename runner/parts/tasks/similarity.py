"""Similarity: how near the vectors of two texts are, for search and comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from runner.answers.answers import Answers, Shape
from runner.answers.quantities import Quantities
from runner.answers.ranks import Ranks
from runner.kinds import Family, bad_value
from runner.parts.tasks._form import Form
from runner.parts.tasks._task import Counts, Fault, Place, Task, Text

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output
    from runner.parts.tasks._reading import Reading


class Similarity(Task):
    """Place texts that belong together near each other, by the cosine of their vectors.

    With a score for each pair the cosine learns it, by squared error. With pairs that belong together, each text has to
    find its other half among those of the batch (Henderson and others 2017, arXiv:1705.00652): large batches help.

    ```toml
    type = "similarity"
    data = ["sentences"]
    input = ["first", "second"]
    target = "score"
    bounds = [0, 5]
    ```
    """

    kind: ClassVar[str] = "similarity"

    type: Literal["similarity"]
    """The kind of task."""
    input: Annotated[list[Text], Field(min_length=2, max_length=2)] = Field(default=["first", "second"])
    """Columns of the two texts, each of which gets a vector of its own. Default first and second."""
    target: Text = "score"
    """Column of the score; of `pairs` the second text. Default score."""
    learn: Literal["scores", "pairs"] = "scores"
    """What the rows are: pairs of texts with a score, or `pairs` that belong together. Default scores."""
    bounds: Annotated[list[float], Field(min_length=2, max_length=2)] = Field(default=[0.0, 1.0])
    """Scores of texts that have nothing in common and that mean the same: cosine 0 and 1. Default 0 and 1."""
    temperature: Annotated[float, Field(gt=0, le=10)] = 0.05
    """What cosines are divided by where texts look for their other half. Default 0.05."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["spearman", "pearson"]
    )
    """Scores to compute; the first enters `combined`. Default spearman and pearson, of pairs mean_reciprocal_rank."""

    @model_validator(mode="before")
    @classmethod
    def for_pairs(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("learn") == "pairs":
            inputs = given.get("input", ["first", "second"])
            second = inputs[-1] if isinstance(inputs, list) and inputs else "second"
            return {"target": second, "metrics": ["mean_reciprocal_rank", "recall_at_1"], **given}
        return given

    @model_validator(mode="after")
    def ordered(self) -> Similarity:
        if self.bounds[0] >= self.bounds[1]:
            raise bad_value("`bounds` do not rise", "the lower one first", "bounds")
        return self

    @property
    def shape(self) -> Shape:  # type: ignore[override]
        return Ranks if self.learn == "pairs" else Quantities

    @property
    def surveyed(self) -> bool:  # type: ignore[override]
        return True

    @property
    def form(self) -> Form:
        return Form(self.inputs, "apart")

    def units(self, value: str, texts: Sequence[str]) -> Iterable[str]:
        if self.learn == "pairs":
            return ("pair",)
        return (repr(self.score(value)),)

    def score(self, value: str) -> float:
        """The number of one value of the target; ValueError where it is none, or out of bounds."""
        try:
            found = float(value)
        except ValueError:
            raise ValueError(f"`{value[:40]}` is no number") from None
        if not self.bounds[0] <= found <= self.bounds[1]:
            raise ValueError(f"{value} lies outside of {self.bounds[0]:g} to {self.bounds[1]:g}")
        return found

    def outputs(self, train: Mapping[str, int]) -> tuple[str, ...]:
        return ("cosine",)

    def width(self, outputs: Sequence[str]) -> int:
        return 0

    def heading(self, outputs: Sequence[str]) -> str:
        return "which texts belong together" if self.learn == "pairs" else "how alike two texts are"

    def faults(self, name: str, outputs: Sequence[str], counts: Counts) -> Iterator[Fault]:
        if self.learn == "scores" and len(counts.get("train", {})) < 2:
            yield Fault(("target",), f"`{name}` has but one score in train: nothing to learn", "check `target`")

    def targets(self, values: Sequence[str | None], outputs: Sequence[str], reading: Reading) -> np.ndarray:
        """The cosine that each pair should have, float32 of shape [pairs]."""
        import numpy as np

        if self.learn == "pairs":
            return np.ones(len(values), np.float32)
        low, high = self.bounds
        return np.array([0.0 if each is None else (float(each) - low) / (high - low) for each in values], np.float32)

    def layer(self, hidden: int, outputs: Sequence[str]) -> torch.nn.Module:
        """Nothing: the vectors are the answer."""
        import torch

        return torch.nn.Identity()

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Squared error of each pair's cosine, or surprise in nats at its second text among those of the batch."""
        import torch
        import torch.nn.functional as F

        first, second = halves(output)
        if self.learn == "scores":
            return ((first * second).sum(-1) - output.target) ** 2
        alike = first @ second.T / self.temperature
        return F.cross_entropy(alike, torch.arange(len(alike), device=alike.device), reduction="none")

    def answer(self, output: Output) -> np.ndarray:
        """The two vectors of each pair, float32 of shape [pairs, 2, hidden], each of length 1."""
        import torch

        found: np.ndarray = torch.stack(halves(output), 1).cpu().numpy()
        return found

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Answers:
        import numpy as np

        vectors = np.array(said, np.float64).reshape(len(values), 2, -1)
        if self.learn == "scores":
            low, high = self.bounds
            cosines = (vectors[:, 0] * vectors[:, 1]).sum(-1)
            return Quantities(*place, np.array(list(map(float, values))), low + (high - low) * cosines)
        return Ranks(*place, ranks(vectors, values), np.full(len(values), len(set(values)), np.int64))

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> float:
        """The cosine."""
        return float((said[0] * said[1]).sum())


def halves(output: Output) -> tuple[torch.Tensor, torch.Tensor]:
    """The vectors of the first texts and of the second ones, each of length 1."""
    import torch.nn.functional as F

    vectors = F.normalize(output.logits.float(), dim=-1)
    return vectors[0::2], vectors[1::2]


def ranks(vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """The place of each pair's second text among all different ones, by nearness to the first; int64 from 1 on."""
    import numpy as np

    places = {text: at for at, text in enumerate(texts)}
    different = list(places)
    candidates = vectors[[places[text] for text in different], 1]
    own = np.array([different.index(text) for text in texts]) if len(different) < len(texts) else np.arange(len(texts))
    found = []
    for start in range(0, len(vectors), 1024):
        alike = vectors[start : start + 1024, 0] @ candidates.T
        right = alike[np.arange(len(alike)), own[start : start + 1024]]
        found.append((alike > right[:, None]).sum(1) + 1)
    return np.concatenate(found).astype(np.int64)
