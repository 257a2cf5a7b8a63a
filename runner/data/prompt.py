"""Prompts: what a model is given to write from, and what it should write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Opening(NamedTuple):
    """The beginning of a row: its tokens, the same as text, and the text that the data have behind it."""

    ids: list[int]
    text: str
    gold: str


def laid_out(prompt: str, row: Mapping[str, str]) -> str:
    """The columns of a row in the places of their names in braces; without a prompt one below the other."""
    if not prompt:
        return "\n".join(row.values())
    names = "|".join(map(re.escape, row))
    return re.sub(rf"\{{({names})\}}", lambda found: row[found[1]], prompt)
