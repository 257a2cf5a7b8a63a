"""Symbols instead of words: the quality rules of Gopher (Rae and others 2021, arXiv:2112.11446, A1.1) and C4.

C4 (Raffel and others 2020, arXiv:1910.10683) keeps only lines that end in a terminal punctuation mark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.cleaners._cleaner import Cleaner, Drop

Share = Annotated[float, Field(ge=0, le=1)]

BULLETS = ("•", "‣", "◦", "●", "▪", "■", "○", "□", "·", "-", "*", "–", "—")
ELLIPSES = ("...", "…")
TERMINAL = (".", "!", "?", '"', "”", "。", "！", "？", "؟")


class SymbolShare(Cleaner):
    """Drop texts that are more marks than language: tags, lists, cut-off lines, tables of numbers.

    ```toml
    type = "symbol_share"
    max_bullet_lines = 0.8
    ```
    """

    kind: ClassVar[str] = "symbol_share"

    type: Literal["symbol_share"]
    """The kind of cleaner."""
    max_hashes: Annotated[float, Field(ge=0)] = 0.1
    """Most `#` for each word. Default 0.1 (Gopher)."""
    max_ellipses: Annotated[float, Field(ge=0)] = 0.1
    """Most ellipses, `...` or `…`, for each word. Default 0.1 (Gopher)."""
    min_alphabetic_words: Share = 0.8
    """Least share of words with a letter. Default 0.8 (Gopher)."""
    max_bullet_lines: Share = 0.9
    """Most lines that begin with a bullet or dash, as a share of the lines that are not empty. Default 0.9 (Gopher)."""
    max_ellipsis_lines: Share = 0.3
    """Most lines that end in an ellipsis, as a share of the lines that are not empty. Default 0.3 (Gopher)."""
    min_ended_lines: Share = 0.0
    """Least share of lines that end in a full stop, question mark, exclamation mark or quote, as in C4. Default 0."""

    @property
    def changes(self) -> bool:
        return False

    def clean(self, text: str) -> str | Drop:
        words, lines = text.split(), [line.strip() for line in text.splitlines() if line.strip()]
        if not words or not lines:
            return text
        alphabetic = sum(any(map(str.isalpha, word)) for word in words)
        for failed, reason in (
            (text.count("#") > self.max_hashes * len(words), "too many # signs"),
            (sum(map(text.count, ELLIPSES)) > self.max_ellipses * len(words), "too many ellipses"),
            (share(lines, str.startswith, BULLETS) > self.max_bullet_lines, "too many bullet lines"),
            (share(lines, str.endswith, ELLIPSES) > self.max_ellipsis_lines, "too many lines that end in an ellipsis"),
            (share(lines, str.endswith, TERMINAL) < self.min_ended_lines, "too few lines that end a sentence"),
            (alphabetic < self.min_alphabetic_words * len(words), "too few words with letters"),
        ):
            if failed:
                return Drop(reason)
        return text


def share(lines: list[str], has: Callable[[str, tuple[str, ...]], bool], marks: tuple[str, ...]) -> float:
    """Share of the lines that begin or end with one of the marks."""
    return sum(has(line, marks) for line in lines) / len(lines)
