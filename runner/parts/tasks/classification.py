"""Classification: one label for a text or a pair of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from runner.kinds import Family, Part

if TYPE_CHECKING:
    import torch

Text = Annotated[str, Field(min_length=1)]


class Classification(Part):
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

    type: Literal["classification"]
    """The kind of task."""
    data: Annotated[list[Text], Field(min_length=1)]
    """Names of the data sets that this head learns from."""
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=2)] = "text"
    """Column of the text, or two columns for a pair of texts. Default text."""
    target: Text = "label"
    """Column of the label. Default label."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["macro_f1", "accuracy"]
    )
    """Scores to compute; the first one enters `combined`. Default macro_f1 and accuracy."""
    loss_weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Factor of this task's loss in the sum over tasks. Default 1."""
    labels: Annotated[list[Text], Field(min_length=2)] | None = None
    """The labels as the data write them, in the order of the head's outputs; default: those of train, sorted."""
    label_names: dict[str, Text] = Field(default={})
    """Names to show instead of the labels that the data write, such as { "-1" = "negative" }."""
    class_weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]] = "none"
    """Weight of each class in the loss: none, `balanced` (inverse frequency in train) or by label. Default none."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability mass spread evenly over all classes. Default 0."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input columns, one or two."""
        return (self.input,) if isinstance(self.input, str) else tuple(self.input)

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

    def layer(self, hidden: int, labels: Sequence[str]) -> torch.nn.Module:
        """The head: pooled vectors of width `hidden` to one logit a label."""
        import torch

        return torch.nn.Linear(hidden, len(labels))

    def loss(self, logits: torch.Tensor, target: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Loss of each example, shape [examples], in nats; the caller sums and divides by the count of the step."""
        import torch.nn.functional as F

        losses = F.cross_entropy(logits.float(), target, reduction="none", label_smoothing=self.label_smoothing)
        return losses if weights is None else losses * weights[target]

    def answer(self, logits: torch.Tensor) -> Any:
        """Probabilities, a float64 array of shape [examples, labels]."""
        return logits.double().softmax(-1).cpu().numpy()
