"""Temperature: probabilities made surer or less sure, to be right as often as they say (Guo and others 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Probabilities = npt.NDArray[np.float64]

BOUNDS = 0.1, 10.0  # a model that is always right on validation would be made ever surer


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Those of logits divided by the temperature, whose softmax is given; shape [examples, labels]."""
    import numpy as np

    if temperature == 1:
        return probabilities
    logits = np.log(np.clip(probabilities, np.finfo(np.float64).tiny, None)) / temperature
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    found: Probabilities = raised / raised.sum(-1, keepdims=True)
    return found


def fitted(probabilities: Probabilities, gold: npt.NDArray[np.int64]) -> float:
    """The temperature with the least log loss on these examples, within `BOUNDS`."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    span, tiny = np.arange(len(gold)), np.finfo(np.float64).tiny

    def loss(logarithm: float) -> float:
        chances = tempered(probabilities, float(np.exp(logarithm)))[span, gold]
        return float(-np.log(np.clip(chances, tiny, None)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=np.log(BOUNDS), method="bounded", options={"xatol": 1e-4}).x))
