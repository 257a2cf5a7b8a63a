"""Confused: which labels were taken for which, by rows of answers as the store has them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

FEW = 3  # examples of a confusion, and labels on a card

Row = dict[str, Any]


def missed(row: Row) -> bool:
    """Whether an answer is wrong."""
    return bool(row["gold"] != row["predicted"])


def confusions(rows: Sequence[Row]) -> Iterator[Row]:
    """Pairs of labels that were confused, the most frequent first, each with its surest examples."""
    pairs: dict[tuple[str, str], list[Row]] = {}
    support = Counter(row["gold"] for row in rows)
    for row in filter(missed, rows):
        pairs.setdefault((row["gold"], row["predicted"]), []).append(row)
    for (gold, predicted), each in sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0])):
        surest = sorted(each, key=lambda row: -(number(row["confidence"]) or 0))[:FEW]
        examples = [{"id": row["id"], "text": row["text"], "confidence": number(row["confidence"])} for row in surest]
        share = len(each) / support[gold]
        yield {"gold": gold, "predicted": predicted, "count": len(each), "share": share, "examples": examples}


def cards(rows: Sequence[Row]) -> Iterator[Row]:
    """A card for each label: how well it is found, what it is taken for, what is taken for it; the lowest F1 first."""
    pairs = Counter((row["gold"], row["predicted"]) for row in rows)
    found = []
    for label in dict.fromkeys(label for pair in pairs for label in pair):
        gold = Counter({predicted: n for (own, predicted), n in pairs.items() if own == label})
        guess = Counter({own: n for (own, predicted), n in pairs.items() if predicted == label})
        hits, support, chosen = pairs[label, label], gold.total(), guess.total()
        found.append(
            {
                "label": label,
                "support": support,
                "precision": hits / chosen if chosen else None,
                "recall": hits / support if support else None,
                "f1": 2 * hits / (support + chosen),
                "taken_for": leading(gold, label),
                "mistaken": leading(guess, label),
            }
        )
    yield from sorted(found, key=lambda card: (card["f1"], card["label"]))


def leading(counts: Counter[str], label: str) -> list[Row]:
    """The other labels that occur most."""
    others = Counter({other: n for other, n in counts.items() if other != label})
    return [{"label": other, "count": n} for other, n in others.most_common(FEW)]


def number(value: Any) -> float | None:
    """A finite number of the store, or None."""
    return value if isinstance(value, float) and math.isfinite(value) else None
