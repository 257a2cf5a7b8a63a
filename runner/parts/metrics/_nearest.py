"""The right text that an answer is nearest to, where the data have several."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.answers.texts import Texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def best(answers: Texts, score: Callable[[str, str], float]) -> npt.NDArray[np.float64]:
    """The score of each example against the right text that gives most; no right text is an empty one."""
    import numpy as np

    pairs = zip(answers.gold, answers.predicted, strict=True)
    return np.array([max(score(gold, said) for gold in each or ("",)) for each, said in pairs], np.float64)
