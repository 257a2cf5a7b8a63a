"""Whether a text looks as it should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import field_validator

from runner.kinds import bad_value
from runner.parts.proxies._proxy import Judgement, Proxy, Samples
from runner.parts.tasks._task import Text


class Pattern(Proxy):
    """1 if a regular expression matches the whole text, else 0.

    An instruction that a program can check (IFEval, Zhou and others 2023, arXiv:2311.07911).

    ```toml
    type = "pattern"
    expression = "[a-z]+ .*"
    ```
    """

    kind: ClassVar[str] = "pattern"

    type: Literal["pattern"]
    """The kind of proxy."""
    expression: Text
    """Regular expression of Python; a dot matches line ends too."""

    @field_validator("expression")
    @classmethod
    def compiles(cls, written: str) -> str:
        try:
            re.compile(written)
        except re.error as error:
            raise bad_value(f"not a regular expression: {error}", "mend it; a backslash is `\\\\` in TOML") from None
        return written

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        wanted = re.compile(self.expression, re.DOTALL)
        yield from (Judgement(float(wanted.fullmatch(text) is not None)) for text in samples.texts)
