"""Sets: fields that the command line gives, `--set train.epochs=1`; the value is TOML, or else a string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tomli

from runner.errors import RunnerError


def parsed(words: Sequence[str]) -> list[tuple[str, Any]]:
    """Dotted fields and their values; RunnerError for a word without `=`."""
    return [one(word) for word in words]


def one(word: str) -> tuple[str, Any]:
    """The field and value of one word."""
    name, equals, text = (part.strip() for part in word.partition("="))
    if not equals or not name:
        raise RunnerError(f"`--set {word}` sets nothing", "write it so: `--set train.epochs=1`")
    if name.split(".")[0] in ("grid", "extends"):
        raise RunnerError(f"`--set` cannot change `{name}`", "edit the spec")
    try:
        return name, tomli.loads(f"value = {text}")["value"]
    except (tomli.TOMLDecodeError, KeyError):
        return name, text
