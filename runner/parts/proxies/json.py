"""Whether a text is JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import ClassVar, Literal

from runner.parts.proxies._proxy import Judgement, Proxy, Samples


class Json(Proxy):
    """1 if the whole text is one JSON value (RFC 8259), else 0; why it is none is kept with it.

    ```toml
    type = "json"
    ```
    """

    kind: ClassVar[str] = "json"

    type: Literal["json"]
    """The kind of proxy."""

    def judge(self, samples: Samples) -> Iterator[Judgement]:
        yield from map(parsed, samples.texts)


def parsed(text: str) -> Judgement:
    """Whether one text is JSON."""
    try:
        json.loads(text, parse_constant=refused)
    except (ValueError, RecursionError) as error:
        return Judgement(0.0, str(error) or type(error).__name__)
    return Judgement(1.0)


def refused(word: str) -> None:
    """NaN and Infinity, which Python reads and JSON has not."""
    raise ValueError(f"`{word}` is no JSON")
