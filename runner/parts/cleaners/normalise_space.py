"""White space made even: one space between words, one kind of line end."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from runner.parts.cleaners._cleaner import Cleaner

INVISIBLE = re.compile("[\u200b\u2060\ufeff]")  # joiners that shape letters and emoji, U+200C and U+200D, stay
LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
SPACES = re.compile(r" [^\S\n]+|[^\S\n ][^\S\n]*")  # not a space of its own, which stays
AROUND_LINE_END = re.compile(" ?\n ?")
BLANK_LINES = re.compile("\n{3,}")


class NormaliseSpace(Cleaner):
    """Write runs of spaces, tabs and non-breaking spaces as one space, and every line end as `\\n`.

    No line begins or ends with a space, at most one empty line stands between others, and the text is trimmed.
    Zero-width spaces, word joiners and byte order marks go.

    ```toml
    type = "normalise_space"
    ```
    """

    kind: ClassVar[str] = "normalise_space"

    type: Literal["normalise_space"]
    """The kind of cleaner."""

    def clean(self, text: str) -> str:
        if " ".join(text.split()) == text and (text.isascii() or not INVISIBLE.search(text)):
            return text
        text = LINE_END.sub("\n", INVISIBLE.sub("", text))
        text = AROUND_LINE_END.sub("\n", SPACES.sub(" ", text))
        return BLANK_LINES.sub("\n\n", text).strip()
