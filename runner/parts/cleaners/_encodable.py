"""Texts that libraries outside Python can take."""

from __future__ import annotations


def encodable(text: str) -> str:
    """The text with `?` for each lone surrogate, half a character that has no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
