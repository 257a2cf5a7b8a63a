"""Texts of a wanted length, in characters, words or tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from runner.errors import RunnerError
from runner.parts.cleaners._cleaner import Cleaner, Drop
from runner.parts.cleaners._encodable import encodable
from runner.parts.tokenizer import tokenizer


class Length(Cleaner):
    """Drop texts that are shorter or longer than a bound.

    ```toml
    type = "length"
    unit = "words"
    min = 3
    max = 500
    ```
    """

    kind: ClassVar[str] = "length"

    type: Literal["length"]
    """The kind of cleaner."""
    unit: Literal["characters", "words", "tokens"] = "characters"
    """What is counted; `words` stand between spaces, `tokens` are the model's, no special ones. Default characters."""
    min: Annotated[int, Field(ge=1)] | None = None
    """Shortest text that stays; default no bound."""
    max: Annotated[int, Field(ge=1)] | None = None
    """Longest text that stays; default no bound."""

    @property
    def changes(self) -> bool:
        return False

    @model_validator(mode="after")
    def bounded(self) -> Length:
        if self.min is None and self.max is None:
            raise PydanticCustomError("one_way", "`length` takes `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("one_way", "`min` is above `max`: no text would stay")
        return self

    @property
    def counts_tokens(self) -> bool:
        return self.unit == "tokens"

    def ready(self, tokenizer_file: Path | None) -> Callable[[str], str | Drop]:
        if not self.counts_tokens:
            return self.clean
        if tokenizer_file is None:
            raise RunnerError("`length` counts tokens, but there is no tokenizer", "count `words` or `characters`")
        opened = tokenizer(tokenizer_file)
        return lambda text: self.judged(text, len(opened.encode(encodable(text), add_special_tokens=False)))

    def clean(self, text: str) -> str | Drop:
        if self.counts_tokens:
            raise TypeError("tokens are counted by the function that `ready` gives")
        return self.judged(text, len(text) if self.unit == "characters" else len(text.split()))

    def judged(self, text: str, count: int) -> str | Drop:
        """The text, or why so many units are too few or too many."""
        for bound, word in ((self.min, "shorter"), (self.max, "longer")):
            if bound is not None and (count < bound if word == "shorter" else count > bound):
                return Drop(f"{word} than {bound} {self.unit if bound > 1 else self.unit[:-1]}")
        return text
