"""How much like all other texts of its model a text is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judgement, Proxy, Samples


class SelfBleu(Proxy):
    """BLEU of each text against all others of its model, from 0 to 1: the lower, the more varied.

    As in Texygen (Zhu and others 2018, arXiv:1802.01886). It rises with the number of texts,
    so that only runs with equally many compare.

    ```toml
    type = "self_bleu"
    ```
    """

    kind: ClassVar[str] = "self_bleu"
    packages: ClassVar[tuple[str, ...]] = ("sacrebleu",)

    type: Literal["self_bleu"]
    """The kind of proxy."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        from sacrebleu.metrics.bleu import BLEU

        metric, texts = BLEU(effective_order=True), list(samples.texts)
        for at, text in enumerate(texts):
            others = texts[:at] + texts[at + 1 :]
            yield Judgement(metric.sentence_score(text, others).score / 100 if others and text.strip() else None)
