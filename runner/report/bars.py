"""Tables whose cells hold a number and a bar: what is counted by class, language, prefix and the like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

FEW = 40  # classes that are told one by one
ENDS = 10  # of more: the most and the least frequent ones
MOST = 1000  # rows of a table that is folded away
LANGUAGES = 8  # told one by one

Profiles = Mapping[str, Mapping[str, Any]]


class Cell(NamedTuple):
    """What a cell says, a remark on it, and the length of its bar in percent of the longest one."""

    text: str
    remark: str
    width: float


class Bars(NamedTuple):
    """A table: the name of the first column, those of the others, and rows of a label and cells."""

    head: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    left_out: int = 0


def classes(profiles: Profiles, target: str) -> list[tuple[str, Bars]]:
    """Rows by class, each a title and a table: all classes if they are few, else both ends and then all of them."""
    table = shares(target, {split: each["classes"][target]["rows"] for split, each in profiles.items()})
    if len(table.rows) <= FEW:
        return [("", table)]
    head, tail = table._replace(rows=table.rows[:ENDS]), table._replace(rows=table.rows[-ENDS:])
    whole = table._replace(rows=table.rows[:MOST], left_out=max(0, len(table.rows) - MOST))
    return [
        (f"The {ENDS} most frequent", head),
        (f"The {ENDS} least frequent", tail),
        (f"All {len(table.rows)}", whole),
    ]


def weights(found: Mapping[str, float]) -> Bars:
    """The weight of each class in the loss, the heaviest first."""
    rows = [(label, [weight]) for label, weight in sorted(found.items(), key=lambda item: -item[1])]
    return drawn("class", ["train"], rows[:MOST], "{:.3g}".format)._replace(left_out=max(0, len(rows) - MOST))


def languages(profiles: Profiles) -> Bars | None:
    """Rows by language; None where it wasn't measured."""
    known = {split: each["languages"]["rows"] for split, each in profiles.items() if each["languages"]}
    if not known:
        return None
    table = shares("language", known)
    return table._replace(rows=table.rows[:LANGUAGES], left_out=max(0, len(table.rows) - LANGUAGES))


def sizes(profiles: Profiles) -> Bars | None:
    """Clusters of near duplicates by how many rows they have; None where there are none."""
    found = {split: each["near_duplicates"]["sizes"] for split, each in profiles.items()}
    bins = sorted({(least, most) for each in found.values() for least, most, _ in each})
    counts = {split: {span(least, most): count for least, most, count in each} for split, each in found.items()}
    rows = [(span(*each), [counts[split].get(span(*each), 0) for split in found]) for each in bins]
    return drawn("rows of a cluster", list(found), rows, "{:,}".format) if rows else None


def distinct(profiles: Profiles) -> Bars:
    """Different runs of one to three words over all words."""
    rows = [
        (f"distinct-{length}", [each["words"][f"distinct_{length}"] for each in profiles.values()])
        for length in (1, 2, 3)
    ]
    return drawn("measure", list(profiles), rows, "{:.3f}".format, 1.0)


def prefixes(split: str, profile: Mapping[str, Any]) -> Bars:
    """The most common beginnings of the texts of one split."""
    most = max(each["share"] for each in profile["prefixes"])
    rows = [
        (each["text"], [Cell(f"{each['rows']:,}", f"({each['share']:.1%})", 100 * (each["share"] / most))])
        for each in profile["prefixes"]
    ]
    return Bars("prefix", [split], rows)


def shares(head: str, counts: Mapping[str, Mapping[str, int]]) -> Bars:
    """Counts by split and label, the most frequent first; bars compare shares of a split."""
    totals = {split: sum(each.values()) for split, each in counts.items()}
    labels = {label for each in counts.values() for label in each}
    share = {label: [each.get(label, 0) / (totals[split] or 1) for split, each in counts.items()] for label in labels}
    ordered = sorted(labels, key=lambda label: ([-value for value in share[label]], label))
    most = max((max(each) for each in share.values()), default=0) or 1
    rows = [
        (
            label,
            [
                Cell(f"{each.get(label, 0):,}", f"({part:.1%})", 100 * (part / most))
                for each, part in zip(counts.values(), share[label], strict=True)
            ],
        )
        for label in ordered
    ]
    return Bars(head, list(counts), rows)


def drawn(
    head: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[float]]], said: Any, most: float = 0
) -> Bars:
    """Numbers with bars; the longest stands for `most`, or else for the largest number."""
    known = list(rows)
    most = most or max(max(values) for _, values in known) or 1
    return Bars(
        head,
        columns,
        [(label, [Cell(said(value), "", 100 * (value / most)) for value in values]) for label, values in known],
    )


def span(least: int, most: int) -> str:
    """A range of whole numbers in words."""
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
