"""How much of a text stands word for word in what the model learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.proxies._words import words


class Novelty(Proxy):
    """1 less the share of a text that its longest run of words shared with a training text makes up.

    0 is a text that was memorised whole (after RAVEN, McCoy and others 2023, arXiv:2111.09509). The run is kept.

    ```toml
    type = "novelty"
    ```
    """

    kind: ClassVar[str] = "novelty"

    type: Literal["novelty"]
    """The kind of proxy."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        said = [words(text) for text in samples.texts]
        for each, (length, end) in zip(said, longest(said, samples), strict=True):
            run = " ".join(each[end - length : end])
            yield Judgement(1 - length / len(each) if each else None, f"{length} words: {run}" if length else "")


def longest(said: Sequence[Sequence[str]], samples: Samples) -> list[tuple[int, int]]:
    """Of each text the length of its longest run that a training text has, and the place behind its end.

    Training texts are gone through once; at each of their words all runs that end there grow, or are gone.
    """
    places: dict[str, list[tuple[int, int]]] = {}
    for row, each in enumerate(said):
        for at, word in enumerate(each):
            places.setdefault(word, []).append((row, at))
    best = [(0, 0)] * len(said)
    for text in samples.train():
        runs: dict[tuple[int, int], int] = {}
        for word in words(text):
            runs = {(row, at): runs.get((row, at - 1), 0) + 1 for row, at in places.get(word, ())}
            for (row, at), length in runs.items():
                if length > best[row][0]:
                    best[row] = length, at + 1
    return best
