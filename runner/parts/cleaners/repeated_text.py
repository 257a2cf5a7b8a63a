"""Text that repeats itself: the repetition rules of Gopher (Rae and others 2021, arXiv:2112.11446, table A1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.cleaners._cleaner import Cleaner, Drop

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Share = Annotated[float, Field(ge=0, le=1)]
TOP = (2, 3, 4)
DUPLICATE = (5, 6, 7, 8, 9, 10)


class RepeatedText(Cleaner):
    """Drop texts of which too much is said more than once: lines, paragraphs, or runs of words.

    A share of characters counts the letters of the words only, and each at most once where runs overlap.

    ```toml
    type = "repeated_text"
    duplicate_lines = 0.2
    ```
    """

    kind: ClassVar[str] = "repeated_text"

    type: Literal["repeated_text"]
    """The kind of cleaner."""
    min_words: Annotated[int, Field(ge=1)] = 50
    """Texts with fewer words stay unjudged. Default 50."""
    duplicate_lines: Share = 0.3
    """Most lines that repeat one before them, as a share of the lines that are not empty. Default 0.3."""
    duplicate_paragraphs: Share = 0.3
    """Most paragraphs that repeat one before them; empty lines part paragraphs. Default 0.3."""
    duplicate_line_characters: Share = 0.2
    """Most characters in lines that repeat one before them. Default 0.2."""
    duplicate_paragraph_characters: Share = 0.2
    """Most characters in paragraphs that repeat one before them. Default 0.2."""
    top_ngrams: Annotated[list[Share], Field(min_length=3, max_length=3)] = Field(default=[0.2, 0.18, 0.16])
    """Most characters in the commonest run of 2, of 3 and of 4 words. Default 0.2, 0.18, 0.16."""
    duplicate_ngrams: Annotated[list[Share], Field(min_length=6, max_length=6)] = Field(
        default=[0.15, 0.14, 0.13, 0.12, 0.11, 0.1]
    )
    """Most characters in runs of 5, 6, 7, 8, 9 and 10 words that occur more than once. Default 0.15 down to 0.1."""

    @property
    def changes(self) -> bool:
        return False

    def clean(self, text: str) -> str | Drop:
        words = text.split()
        if len(words) < self.min_words:
            return text
        for piece, pieces, most, most_characters in (
            ("lines", text.splitlines(), self.duplicate_lines, self.duplicate_line_characters),
            (
                "paragraphs",
                re.split(r"\n[^\S\n]*\n", text),
                self.duplicate_paragraphs,
                self.duplicate_paragraph_characters,
            ),
        ):
            share, share_of_characters = duplicates(pieces)
            if share > most:
                return Drop(f"too many duplicate {piece}")
            if share_of_characters > most_characters:
                return Drop(f"too many characters in duplicate {piece}")
        limits = dict(zip((*TOP, *DUPLICATE), (*self.top_ngrams, *self.duplicate_ngrams), strict=True))
        for size, share in repeats(words):
            if share > limits[size]:
                which = "the commonest" if size in TOP else "duplicate"
                return Drop(f"too many characters in {which} {size}-gram{'s' * (size not in TOP)}")
        return text


def duplicates(pieces: Sequence[str]) -> tuple[float, float]:
    """Share of the pieces, and of their characters, that repeat an earlier one; white space does not count."""
    seen: set[str] = set()
    count = copies = characters = copied = 0
    for piece in filter(None, (" ".join(piece.split()) for piece in pieces)):
        length = len(piece) - piece.count(" ")
        count, characters = count + 1, characters + length
        if piece in seen:
            copies, copied = copies + 1, copied + length
        seen.add(piece)
    return copies / count, copied / characters


def repeats(words: Sequence[str]) -> Iterator[tuple[int, float]]:
    """For each length of a run of words: the share of characters in the commonest, or in all that occur twice."""
    import numpy as np

    numbers: dict[str, int] = {}
    word = np.array([numbers.setdefault(each, len(numbers)) for each in words], np.int64)
    letters = np.array([len(each) for each in words], np.int64)
    until = np.r_[0, letters.cumsum()]
    gram = word
    for size in range(2, DUPLICATE[-1] + 1):
        if len(gram) < 2:
            return
        _, gram, counts = np.unique(
            gram[:-1] * len(numbers) + word[size - 1 :], return_inverse=True, return_counts=True
        )
        times = counts[gram]
        chosen = times > 1
        if size in TOP and chosen.any():  # of equally common runs the one with the most letters
            weight = times * (until[-1] + 1) + until[size:] - until[:-size]
            chosen = gram == gram[weight.argmax()]
        yield size, float(letters[covered(chosen, size)].sum() / until[-1])


def covered(starts: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """Which words lie in a run of `size` words that begins at a start."""
    import numpy as np

    change = np.zeros(len(starts) + size, np.int64)
    change[: len(starts)] += starts
    change[size:] -= starts
    return change.cumsum()[: len(starts) + size - 1] > 0
