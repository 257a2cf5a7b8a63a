"""Parameters: values for the `$name`s of a statement, given as words: `--param n=3`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tomli

from runner.errors import RunnerError


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """Names and values; a value is TOML (numbers, true, dates, lists, quoted text), or else the text as it stands."""
    return dict(one(word) for word in words)


def one(word: str) -> tuple[str, Any]:
    """The name and value of one word; they are bound, never pasted into the SQL."""
    name, equals, text = word.partition("=")
    if not equals or not name.strip().isidentifier():
        raise RunnerError(f"`--param {word}` gives no parameter", "write it so: `--param n=3`, and `$n` in the SQL")
    try:
        return name.strip(), tomli.loads(f"value = {text}")["value"]
    except (tomli.TOMLDecodeError, KeyError):
        return name.strip(), text
