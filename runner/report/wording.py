"""Answers in words: what was in the data and what was said, by the shape of the answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

WORDS = 12  # with other tags that are told, at most


def sides(answer: Mapping[str, Any], shape: str) -> tuple[str, str]:
    """What the data say and what was answered; of tags only where both differ."""
    gold, predicted = answer["gold"] or "", answer["predicted"] or ""
    if shape == "quantities":
        return short(gold), short(predicted)
    if shape == "sets":
        return listed(gold), listed(predicted)
    if shape == "tags":
        return differing(answer["text"] or "", gold, predicted)
    return gold or "–", predicted or "–"


def short(value: str) -> str:
    """A number with three digits after the point."""
    try:
        return f"{float(value):.3f}"
    except ValueError:
        return value


def listed(value: str) -> str:
    """The labels of a set."""
    return ", ".join(map(str, items(value))) or "none"


def differing(text: str, gold: str, predicted: str) -> tuple[str, str]:
    """The words whose tags differ, each with its tag; the tags alone where they are not one a word."""
    words, left, right = text.split(), items(gold), items(predicted)
    if not len(words) == len(left) == len(right):
        return gold, predicted
    found = [(word, a, b) for word, a, b in zip(words, left, right, strict=True) if a != b]
    more = f"; and {len(found) - WORDS} more" if len(found) > WORDS else ""
    return (
        "; ".join(f"{word} {tag}" for word, tag, _ in found[:WORDS]) + more,
        "; ".join(f"{word} {tag}" for word, _, tag in found[:WORDS]) + more,
    )


def items(value: str) -> list[Any]:
    """A JSON list; empty where it is none."""
    try:
        found = json.loads(value)
    except ValueError:
        return []
    return found if isinstance(found, list) else []
