"""How much of a text it has said before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.proxies._words import words


class Repetition(Proxy):
    """Share of the runs of `words` words that repeat an earlier one; none of a text that is shorter.

    This is seq-rep-n (Welleck and others 2020, arXiv:1908.04319).

    ```toml
    type = "repetition"
    words = 3
    ```
    """

    kind: ClassVar[str] = "repetition"

    type: Literal["repetition"]
    """The kind of proxy."""
    words: Annotated[int, Field(ge=1, le=20)] = 4
    """Words of a run. Default 4."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        for text in samples.texts:
            said = words(text)
            runs = Counter(tuple(said[at : at + self.words]) for at in range(len(said) - self.words + 1))
            most, times = next(iter(runs.most_common(1)), ((), 0))
            raw = f"{times} times: {' '.join(most)}" if times > 1 else ""
            yield Judgement(1 - len(runs) / runs.total() if runs else None, raw)
