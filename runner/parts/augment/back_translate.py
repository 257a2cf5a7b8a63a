"""Into another language and back (Sennrich and others 2016, arXiv:1511.06709; Xie 2020, arXiv:1904.12848)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from runner.parts.augment._augmentation import Parent, Places, Refused
from runner.parts.augment._generation import Prompt, Sampled, Writer
from runner.parts.augment._written import Write, told
from runner.parts.tasks._task import Text

TRANSLATE = "Translate the following into {language}. Answer with the translation only.\n\n{text}"


class BackTranslate(Sampled):
    """Translate each text into another language and back, by two models or by one that is told the languages.

    ```toml
    type = "back_translate"
    to = "models/opus-mt-en-de"
    back = "models/opus-mt-de-en"
    ```
    """

    kind: ClassVar[str] = "back_translate"
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "to": ("seq2seq",),
        "back": ("seq2seq",),
        "model": ("causal",),
        "embedder": ("encoder", "masked"),
    }

    type: Literal["back_translate"]
    """The kind of augmentation."""
    to: Text | None = None
    """Encoder-decoder that translates into the other language: a folder, `package:NAME` or hub id; with `back`."""
    back: Text | None = None
    """Encoder-decoder that translates back."""
    model: Text | None = None
    """Causal model that translates both ways, instead of `to` and `back`; with `language`."""
    language: Text | None = None
    """The other language, as the causal model is told, such as `French`."""
    original: Text = "English"
    """The language of the texts, as the causal model is told. Default English."""
    to_prompt: Prompt | None = None
    """What the first translation is told, with `{text}` once; default: the text, or an instruction for `model`."""
    back_prompt: Prompt | None = None
    """What the second translation is told; default: the text, or an instruction for `model`."""

    @model_validator(mode="after")
    def one_way(self) -> BackTranslate:
        two, one = (self.to, self.back), (self.model, self.language)
        if not ((None not in two and one == (None, None)) or (None not in one and two == (None, None))):
            raise PydanticCustomError("one_way", "write either `to` and `back`, or `model` and `language`")
        return self

    def writer(self, places: Places) -> Write:
        there = Writer(places["to" if self.model is None else "model"])
        again = Writer(places["back"]) if self.model is None else there
        told_to = TRANSLATE if self.model else "{text}"
        to_prompt = self.to_prompt or told_to.replace("{language}", self.language or "")
        back_prompt = self.back_prompt or told_to.replace("{language}", self.original)

        def write(parents: Sequence[Parent]) -> list[str | Refused]:
            texts: list[str | Refused] = [parent.text for parent in parents]
            foreign = self.through(there, to_prompt, texts, parents)
            return self.through(again, back_prompt, foreign, parents)

        return write

    def through(
        self, writer: Writer, prompt: str, texts: Sequence[str | Refused], parents: Sequence[Parent]
    ) -> list[str | Refused]:
        """The translations of the texts; of those that were refused before or are empty, nothing is asked."""
        sampling = self.sampling
        seeds = [parent.rng.getrandbits(64) for parent in parents]
        found = [text if text else Refused("an empty answer") for text in texts]
        asked = [(at, text) for at, text in enumerate(found) if isinstance(text, str)]
        said = writer.answers([text for _, text in asked], prompt, [seeds[at] for at, _ in asked], sampling)
        for (at, text), answer in zip(asked, said, strict=True):
            found[at] = answer if isinstance(answer, Refused) else told(answer, text, prompt)
        return found
