"""Mixup: sums of two examples' vectors, learned with both labels.

Zhang, Cissé, Dauphin, Lopez-Paz 2018, "mixup", arXiv:1710.09412; of texts: Guo, Mao, Zhang 2019, arXiv:1905.08941.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from runner.answers.choices import Choices
from runner.kinds import Part
from runner.parts.tasks._task import Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Mixup(Part):
    """Mix the vectors of two texts of a batch, and their losses by the same weight; makes no rows.

    ```toml
    type = "mixup"
    alpha = 0.2
    ```
    """

    kind: ClassVar[str] = "mixup"

    type: Literal["mixup"]
    """The kind of augmentation."""
    alpha: Annotated[float, Field(gt=0, le=100)] = 0.2
    """Both parameters of the Beta distribution of weights; larger mixes more evenly. Default 0.2."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the examples of a batch that are mixed with another. Default 1."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 13
    """Seed of the choices, together with the run's. Default 13."""

    def unfit(self, task: Task) -> str:
        """Why the losses of a task can't be mixed; empty where they can."""
        return "" if task.shape is Choices else "it mixes losses of single labels"

    def draw(self, examples: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Of each example the partner, int64 [examples], and the weight of its own part, float64 [examples], in 0..1.

        An example that is not mixed has the weight 1.
        """
        partners = rng.permutation(examples)
        own = rng.beta(self.alpha, self.alpha, examples)
        own[rng.random(examples) >= self.share] = 1.0
        return partners, own
