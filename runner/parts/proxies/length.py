"""How long a text is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.proxies._words import words


class Length(Proxy):
    """Words of the text, to be looked at beside every judgement.

    Judges that are models take long texts for good ones (Dubois and others 2024, arXiv:2404.04475).

    ```toml
    type = "length"
    ```
    """

    kind: ClassVar[str] = "length"

    type: Literal["length"]
    """The kind of proxy."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        yield from (Judgement(len(words(text))) for text in samples.texts)
