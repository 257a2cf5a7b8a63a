"""Whether batches hold rows of several data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.kinds import Part


def mixes(mixing: Part | None) -> bool:
    """Whether batches hold rows of several data sets; not by default, nor where a strategy knows no such word."""
    return getattr(mixing, "batches", "separate") == "mixed"
