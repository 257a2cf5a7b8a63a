"""Whether a text is one of a few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.tasks._task import Text


class Allowed(Proxy):
    """1 if the text is one of `values`, but for letter case and space around it, else 0.

    An instruction that a program can check (IFEval, Zhou and others 2023, arXiv:2311.07911).

    ```toml
    type = "allowed"
    values = ["yes", "no"]
    ```
    """

    kind: ClassVar[str] = "allowed"

    type: Literal["allowed"]
    """The kind of proxy."""
    values: Annotated[list[Text], Field(min_length=1)]
    """The texts that are allowed."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        known = {each.strip().casefold() for each in self.values}
        yield from (Judgement(float(text.strip().casefold() in known)) for text in samples.texts)
