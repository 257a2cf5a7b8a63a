"""Agreement: how far people who judged the same things agree, beyond what chance gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

NOTHING = float("nan")


def agreement(things: Sequence[Mapping[str, float]], level: Literal["nominal", "ordinal", "interval"]) -> float:
    """Krippendorff's alpha of what reviewers said of things: for each thing the value by reviewer.

    1 is full agreement, 0 what chance gives. NaN where no thing has two reviewers, or all said the same of all: then
    nothing tells agreement from habit (Krippendorff 2019, Content Analysis, ch. 12).
    """
    import krippendorff
    import numpy as np

    shared = [each for each in things if len(each) > 1]
    if len({value for each in shared for value in each.values()}) < 2:
        return NOTHING
    reviewers = sorted({name for each in shared for name in each})
    rows = np.array([[each.get(name, NOTHING) for each in shared] for name in reviewers])
    return float(krippendorff.alpha(reliability_data=rows, level_of_measurement=level))
