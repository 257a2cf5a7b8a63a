"""Reading: what a head may look at when it makes targets of the values of a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Reading(NamedTuple):
    """The rows of one stream, in their order: `texts[column][row]`, and where their tokens lie.

    Tokens `offsets[i]` to `offsets[i + 1]` are those of sequence i, which is row i or, where long texts make several
    sequences, row `rows[i]`; its second text begins at token `pairs[i]` of it. Token i spans the characters `starts[i]`
    to `ends[i]` of its text; special tokens span none. Both are None where no head of the stream looks at tokens.
    `tokens` are the ids; where a language model writes, `judged` is 1 for those that count, and `bytes` the size of
    what they spell, by sequence.
    """

    texts: Sequence[Sequence[str]]
    offsets: np.ndarray
    starts: np.ndarray | None = None
    ends: np.ndarray | None = None
    rows: np.ndarray | None = None
    pairs: np.ndarray | None = None
    tokens: np.ndarray | None = None
    judged: np.ndarray | None = None
    bytes: np.ndarray | None = None
