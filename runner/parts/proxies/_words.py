"""Words and sentences of texts that models write, by marks that need no model."""

from __future__ import annotations

import re
from functools import cache

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
END = re.compile(r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)\]]))\s+|\n+")


def words(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return [word.casefold().replace("’", "'") for word in WORD.findall(text)]


def sentences(text: str) -> list[str]:
    """The sentences of a text: what ends with a mark of its end before a space, or with a line."""
    return [part.strip() for part in END.split(text) if part and WORD.search(part)]


@cache
def empty_words() -> frozenset[str]:
    """English words that say little of what a text is about."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)
