"""ROUGE of texts, as the package rouge-score computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.answers.texts import Texts
from runner.parts.metrics._nearest import best

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def rouge(answers: Texts, kind: str) -> npt.NDArray[np.float64]:
    """F1 of each example against the right text that is nearest; words are not stemmed."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer: Any = RougeScorer([kind])
    return best(answers, lambda gold, said: float(scorer.score(gold, said)[kind].fmeasure))
