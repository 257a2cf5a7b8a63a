"""Classification: one label for a text or a pair of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.answers.answers import Answers
from runner.answers.choices import Choices, codes
from runner.parts.tasks._labelled import Labelled
from runner.parts.tasks._task import Place
from runner.parts.tasks._temperature import fitted, tempered

if TYPE_CHECKING:
    import numpy as np
    import torch

    from runner.parts.tasks._output import Output


class Classification(Labelled):
    """Choose one label for a text or a pair of texts, by cross-entropy.

    ```toml
    type = "classification"
    data = ["reviews"]
    input = "text"
    target = "label"
    metrics = ["macro_f1", "accuracy"]
    ```
    """

    kind: ClassVar[str] = "classification"
    later: ClassVar[tuple[str, ...]] = ("focal", "temperature")

    type: Literal["classification"]
    """The kind of task."""
    class_weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]] = "none"
    """Weight of each class in the loss: none, `balanced` (inverse frequency in train) or by label. Default none."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability mass spread evenly over all classes. Default 0."""
    focal: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Exponent by which surely right examples count less (focal loss, Lin and others 2017); 0 is off. Default 0."""
    temperature: Literal["tuned"] | Annotated[float, Field(gt=0, le=100)] = 1.0
    """Divisor of the logits of probabilities; `tuned` for the least log loss on validation. Default 1.

    It changes how sure answers are and no answer; the exported model has what was tuned.
    """

    @property
    def tunes(self) -> bool:
        return self.temperature == "tuned"

    def weights(self, counts: Mapping[str, int]) -> list[float] | None:
        """Weight of each class in the order of `counts`; scaled so that the mean over the training rows is 1."""
        if self.class_weights == "none":
            return None
        if self.class_weights == "balanced":
            raw = {label: 1 / max(count, 1) for label, count in counts.items()}
        else:
            raw = {label: self.class_weights.get(label, 1.0) for label in counts}
        mean = sum(raw[label] * count for label, count in counts.items()) / max(sum(counts.values()), 1)
        return [raw[label] / mean for label in counts]

    def loss(self, output: Output, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Cross-entropy of each example, shape [examples], in nats."""
        import torch.nn.functional as F

        logits, target = output.logits.float(), output.target
        losses = F.cross_entropy(logits, target, reduction="none", label_smoothing=self.label_smoothing)
        if self.focal:
            right = logits.log_softmax(-1).gather(-1, target[:, None])[:, 0].exp()
            losses = losses * (1 - right).clamp_min(1e-6) ** self.focal
        return losses if weights is None else losses * weights[target]

    def answer(self, output: Output) -> np.ndarray:
        """Probabilities, a float64 array of shape [examples, labels]."""
        found: np.ndarray = output.logits.double().softmax(-1).cpu().numpy()
        return found

    def gathered(self, place: Place, values: Sequence[str], said: Sequence[Any]) -> Choices:
        """The likeliest label of each example."""
        import numpy as np

        gold = codes(self.shown(values), place.labels)
        probabilities = np.array(said, np.float64).reshape(len(values), len(place.labels))
        return Choices(*place, gold, probabilities.argmax(-1), tempered(probabilities, self.divisor))

    @property
    def divisor(self) -> float:
        """The temperature, which is 1 until it is tuned."""
        return 1.0 if self.temperature == "tuned" else self.temperature

    def reply(self, said: Any, outputs: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
        return super().reply(tempered(said, self.divisor), outputs, texts)

    def tuned(self, answers: Answers) -> dict[str, Any]:
        """The `temperature`."""
        assert isinstance(answers, Choices)
        return {"temperature": fitted(answers.probabilities, answers.gold)} if self.tunes and len(answers) else {}

    def settled(self, answers: Answers, tuned: Mapping[str, Any]) -> Answers:
        assert isinstance(answers, Choices)
        if "temperature" not in tuned:
            return answers
        return replace(answers, probabilities=tempered(answers.probabilities, tuned["temperature"]))
