"""Suspects: examples whose label in the data is likely to be wrong, by what a model that never saw them says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from runner.answers.choices import codes

Column = Sequence[float | None]


def suspects(gold: Sequence[str], predicted: Sequence[str], confidence: Column, right: Column) -> list[int]:
    """Places of the examples that confident learning doubts (Northcutt and others 2021), the most doubtful first.

    `confidence` is the probability of the predicted label, `right` that of the label in the data. What they leave is
    shared evenly by all other labels, since the store keeps no more.
    """
    from cleanlab.filter import find_label_issues

    sure, fit = (np.array(each, np.float64) for each in (confidence, right))  # None becomes NaN
    rows = np.flatnonzero(np.isfinite(sure) & np.isfinite(fit))
    labels = sorted({*gold, *predicted})
    if len(rows) < 2 or len(labels) < 2:
        return []
    truth, guess = (codes([each[row] for row in rows.tolist()], labels) for each in (gold, predicted))
    likely = spread(truth, guess, sure[rows], fit[rows], len(labels))
    doubtful = find_label_issues(truth, likely, filter_by="confident_learning", n_jobs=1) & (truth != guess)
    found = rows[doubtful]
    order = np.argsort(fit[found] - sure[found], kind="stable")
    return [int(row) for row in found[order]]


def spread(
    truth: npt.NDArray[np.int64],
    guess: npt.NDArray[np.int64],
    sure: npt.NDArray[np.float64],
    fit: npt.NDArray[np.float64],
    count: int,
) -> npt.NDArray[np.float64]:
    """Probabilities of all labels, shape [examples, labels], of those of two of them."""
    span = np.arange(len(truth))
    others = np.maximum(count - 1 - (truth != guess), 1)
    left = np.clip(1 - sure - np.where(truth != guess, fit, 0), 0, 1)
    found = np.repeat((left / others)[:, None], count, 1)
    found[span, truth], found[span, guess] = fit, sure
    whole: npt.NDArray[np.float64] = found / found.sum(1, keepdims=True)
    return whole
