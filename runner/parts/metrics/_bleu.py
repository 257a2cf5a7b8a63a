"""BLEU from counts of each text, which sacrebleu makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.answers.resamples import Numbers
from runner.answers.texts import Texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ORDERS = 4


def counted(answers: Texts) -> npt.NDArray[np.float64]:
    """Of each example the lengths of answer and right text, then n-grams that match and all: [examples, 10]."""
    import numpy as np
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True)
    found = [
        metric.sentence_score(said, list(gold) or [""])
        for gold, said in zip(answers.gold, answers.predicted, strict=True)
    ]
    rows = [[each.sys_len, each.ref_len, *each.counts, *each.totals] for each in found]
    return np.array(rows, np.float64).reshape(len(answers), 2 + 2 * ORDERS)


def bleu(sums: Numbers) -> Numbers:
    """The geometric mean of precisions times the penalty of short texts, shape [samples]; 0 where nothing matches.

    An order without a match counts half of one, the next such a quarter, and so on (smoothing `exp` of sacrebleu).
    """
    import numpy as np

    own, right, match, total = sums[:, 0], sums[:, 1], sums[:, 2 : 2 + ORDERS], sums[:, 2 + ORDERS :]
    none = (match == 0) & (total > 0)
    smoothed = np.where(none, 0.5 ** np.cumsum(none, 1), match)
    shares = np.divide(smoothed, total, out=np.zeros_like(total), where=total > 0)
    logs = np.log(np.where(shares > 0, shares, 1)).mean(1)
    short = np.divide(right, own, out=np.full_like(own, np.inf), where=own > 0)
    found = np.exp(logs + np.minimum(1 - short, 0))
    return np.where((match.sum(1) > 0) & (total > 0).all(1), found, 0.0)
