"""Kept: the answers of a run read back from the store, and those of two runs on the same examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runner.answers.answers import Answers, Place, Told
from runner.answers.shapes import SHAPES
from runner.store.query import query

ANSWERS = """
    SELECT task, split, coalesce(shape, 'choices') AS shape, id, gold, predicted, confidence, gold_probability, "text"
    FROM answers WHERE run = $run ORDER BY position
"""
SAMPLES = """
    SELECT task, split, 'texts' AS shape, id, gold, "text" AS predicted, NULL::DOUBLE AS confidence,
           NULL::DOUBLE AS gold_probability, prompt AS "text"
    FROM samples WHERE run = $run AND model = 'best' ORDER BY position
"""
LABELS = "SELECT task, label FROM labels WHERE run = $run ORDER BY task, position"

Row = dict[str, Any]


class Kept(NamedTuple):
    """The rows of one task and split of a run, in one shape."""

    task: str
    split: str
    shape: str
    labels: tuple[str, ...]
    rows: list[Row]

    @property
    def answers(self) -> Answers | None:
        """These rows as answers; None where the store doesn't say enough."""
        return retold(self, self.labels, self.rows)


class Common(NamedTuple):
    """The answers of two runs on the same examples: `both` has those of the first, then those of the second.

    `changed` counts examples whose gold differs, `first` and `second` those that only one of the runs answered.
    """

    both: Answers | None
    n: int
    changed: int
    first: int
    second: int


def kept(results: Path, run: str) -> dict[tuple[str, str, str], Kept]:
    """All answers of a run, and the texts that it wrote, by task, split and shape."""
    labels: dict[str, list[str]] = {}
    for row in query(results, LABELS, {"run": run}).to_pylist():
        labels.setdefault(row["task"], []).append(row["label"])
    found: dict[tuple[str, str, str], Kept] = {}
    for sql in (ANSWERS, SAMPLES):
        for row in query(results, sql, {"run": run}).to_pylist():
            place = row["task"], row["split"], row["shape"]
            if place not in found:
                found[place] = Kept(*place, tuple(labels.get(row["task"], ())), [])
            found[place].rows.append(row)
    return found


def common(first: Kept, second: Kept) -> Common:
    """What both say of the same examples: those with the same id, or else the same text, and the same gold.

    Texts find what another column gave its id. The order of examples is the same whichever run comes first.
    """
    pairs = matched(first.rows, second.rows, "id")
    known = {row["id"] for row, _ in pairs}
    one, other = ([row for row in each.rows if row["id"] not in known] for each in (first, second))
    pairs += matched(one, other, "text")
    # how many tokens a text has is the model's business
    same = [(x, y) for x, y in pairs if first.shape == "likelihoods" or x["gold"] == y["gold"]]
    labels = tuple(dict.fromkeys([*first.labels, *second.labels]))
    both = retold(first, labels, [row for row, _ in same] + [row for _, row in same])
    missing = len(first.rows) - len(pairs), len(second.rows) - len(pairs)
    return Common(both, len(same), len(pairs) - len(same), *missing)


def matched(first: Sequence[Row], second: Sequence[Row], name: str) -> list[tuple[Row, Row]]:
    """The pairs of rows with the same value of a column, in its order."""
    one, other = numbered(first, name), numbered(second, name)
    return [(one[key], other[key]) for key in sorted(one.keys() & other.keys())]


def numbered(rows: Sequence[Row], name: str) -> dict[tuple[str, int], Row]:
    """Rows by a column; those that share a value are told apart by their place among them."""
    seen: dict[str, int] = {}
    found = {}
    for row in (row for row in rows if row[name]):
        copy = seen[row[name]] = seen.get(row[name], -1) + 1
        found[row[name], copy] = row
    return found


def retold(whose: Kept, labels: tuple[str, ...], rows: Sequence[Row]) -> Answers | None:
    """Rows as answers; None where the store doesn't say enough, as in logs of a plug-in's shape."""
    columns = ([row[name] for row in rows] for name in ("id", "gold", "predicted", "confidence", "gold_probability"))
    ids, *told = columns
    try:
        return SHAPES[whose.shape].retold(Place(whose.task, whose.split, labels, tuple(ids)), Told(*told))
    except (LookupError, TypeError, ValueError):
        return None
