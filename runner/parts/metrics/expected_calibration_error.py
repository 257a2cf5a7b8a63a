"""Expected calibration error: how far confidence is from accuracy."""

from __future__ import annotations

from typing import ClassVar, Literal

from runner.answers.choices import Confusions
from runner.answers.resamples import Numbers
from runner.parts.metrics._metric import Metric

BINS = 15


class ExpectedCalibrationError(Metric):
    """Mean gap between confidence and accuracy, from 0 to 1; 0 is perfect (Guo and others 2017).

    Confidence is the probability of the predicted label; gaps are taken within 15 equal bins (low, high] and weighted
    by their examples.

    ```toml
    type = "expected_calibration_error"
    ```
    """

    kind: ClassVar[str] = "expected_calibration_error"
    higher_is_better: ClassVar[bool] = False

    type: Literal["expected_calibration_error"] = "expected_calibration_error"
    """The metric's name."""

    def values(self, resamples: Confusions) -> Numbers:
        import numpy as np

        answers = resamples.answers
        confidence = answers.probabilities[np.arange(len(answers)), answers.predicted]
        bins = np.clip(np.ceil(np.nan_to_num(confidence) * BINS).astype(np.int64) - 1, 0, BINS - 1)
        right = (answers.gold == answers.predicted).astype(np.float64)
        gaps = np.abs(resamples.tally(bins, BINS, confidence - right))
        error: Numbers = gaps.sum(1) / resamples.rows.shape[1]
        return error
