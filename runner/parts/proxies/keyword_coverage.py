"""Which share of the prompt's words of content a text takes up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.proxies._words import empty_words, words


class KeywordCoverage(Proxy):
    """Share of the different words of the prompt, but for English stop words, that the text has.

    As the coverage of CommonGen (Lin and others 2020, arXiv:1911.03705), though words count as
    they are written: another form of a word is another word.

    ```toml
    type = "keyword_coverage"
    ```
    """

    kind: ClassVar[str] = "keyword_coverage"

    type: Literal["keyword_coverage"]
    """The kind of proxy."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        for prompt, text in zip(samples.prompts, samples.texts, strict=True):
            asked = dict.fromkeys(word for word in words(prompt) if word not in empty_words())
            said = set(words(text))
            lacking = [word for word in asked if word not in said]
            value = 1 - len(lacking) / len(asked) if asked else None
            yield Judgement(value, f"lacks: {', '.join(lacking)}" if lacking else "")
