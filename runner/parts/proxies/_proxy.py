"""What every proxy is: a number for each text that a model wrote, which stands in for a judgement of a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from runner.kinds import Part

PREFIX = "proxy_"  # of the names of their scores: nobody shall take one for a judgement


class Judgement(NamedTuple):
    """What was found of one text; None where it can't be told. `raw` is what it was told from, in words."""

    value: float | None
    raw: str = ""


@dataclass(frozen=True)
class Samples:
    """Texts that one model wrote, each behind its prompt; `train()` gives the texts that it learned from."""

    prompts: Sequence[str]
    texts: Sequence[str]
    train: Callable[[], Iterable[str]] = tuple


Places = Mapping[str, Path]
Judge = Callable[[Samples], list[Judgement]]


class Proxy(Part):
    """The fields that all proxies share, and what a kind must do: `judge`, or `ready` if it loads something."""

    # Fields that name models, each with what fits: "causal" or "encoder"; and fields that name files.
    models: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    files: ClassVar[tuple[str, ...]] = ()
    # Distributions, as pip names them, that it needs; the extra `text` has them.
    packages: ClassVar[tuple[str, ...]] = ()

    # Goes up whenever equal fields come to judge otherwise.
    version: ClassVar[int] = 1

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] | None = None
    """What its score is called behind `proxy_`; default: its type."""

    @property
    def criterion(self) -> str:
        """The name of its score."""
        return PREFIX + (self.name or self.kind)

    def ready(self, places: Places) -> Judge:
        """The function that judges, got once: what is slow to load is loaded here. `places` has what fields name."""
        return lambda samples: list(self.judge(samples))

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        """A judgement of each text, in their order."""
        raise NotImplementedError
