"""The profile of a split: how many rows and classes, how long, how rich and how repetitive its texts are.

Nothing depends on the order of rows. Texts are read batch by batch; what is kept is about 20 bytes a row (the
search for near duplicates has 40) and a bounded count of words and of runs of words, see `distinct`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.data.account import excerpt
from runner.data.columns import as_text
from runner.data.counts import tally
from runner.profile.distinct import Distinct
from runner.profile.evenness import cramers_v, entropy, evenness, hdd
from runner.profile.traits import SIMILAR, Traits, texts, traits
from runner.profile.wording import prefix, wording

if TYPE_CHECKING:
    import pyarrow as pa

PREFIXES = 5  # most common ones that are told
GROUPS = 30  # largest ones that are told
NONE = "(none)"
EDGES = np.array(sorted({1} | {base << power for base in (2, 3) for power in range(30)}))  # 1, 2, 3, 4, 6, 8, 12 ...


def profile(
    table: pa.Table, inputs: Sequence[str], targets: Sequence[str], groups: str | None, scratch: Path
) -> dict[str, Any]:
    """Everything about the rows as JSON values, and the same of each value of the column `groups`."""
    known = traits(table, inputs, scratch)
    everyone = np.ones(table.num_rows, bool)
    classes = {target: tally(table, target) for target in targets}
    sizes = {target: len(counts) for target, counts in classes.items()}
    found = described(known, everyone, classes, sizes)
    return {**found, "groups": compared(known, groups, targets, sizes) if groups else None}


def described(
    known: Traits, chosen: np.ndarray, classes: dict[str, dict[str, int]], sizes: dict[str, int]
) -> dict[str, Any]:
    """The profile of the chosen rows; `sizes` counts the classes of each target in the whole split."""
    return {
        "rows": int(chosen.sum()),
        "classes": {
            target: {
                "rows": dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
                "entropy": entropy(list(counts.values())),
                "evenness": evenness(list(counts.values()), sizes[target]),
            }
            for target, counts in classes.items()
        },
        "lengths": {"characters": lengths(known.characters[chosen]), "words": lengths(known.words[chosen])},
        "words": diversity(known, chosen),
        "prefixes": prefixes(known, chosen),
        "languages": languages(known, chosen),
        "near_duplicates": near_duplicates(known, chosen),
    }


def lengths(values: np.ndarray) -> dict[str, Any]:
    """How long texts are; `histogram` has [least, most, texts] of bins that grow, the same for all data."""
    p50, p95 = np.percentile(values, [50, 95]).tolist()
    counts = np.bincount(np.searchsorted(EDGES, values, "right") - 1, minlength=len(EDGES))
    there = np.flatnonzero(counts)
    bins = range(there[0], there[-1] + 1)
    histogram = [[int(EDGES[each]), int(EDGES[each + 1]) - 1, int(counts[each])] for each in bins]
    mean = int(values.sum(dtype=np.int64)) / len(values)
    return {
        "min": int(values.min()),
        "p50": p50,
        "mean": mean,
        "p95": p95,
        "max": int(values.max()),
        "histogram": histogram,
    }


def diversity(known: Traits, chosen: np.ndarray) -> dict[str, Any]:
    """How many different words there are, and runs of one to three words over all words: distinct-n.

    Distinct-n as Li and others define it (2016, arXiv:1510.03055); distinct-1 is the type-token ratio.
    """
    runs = {length: Distinct() for length in (1, 2, 3)}
    for part in texts(known.table, known.inputs, chosen):
        words = wording(part)
        for length, distinct in runs.items():
            distinct.add(words.runs(length))
    total = runs[1].total
    return {
        "total": total,
        "vocabulary": runs[1].count,
        "type_token_ratio": runs[1].count / total,
        "hdd": None if runs[1].sampled else hdd(runs[1].counts),
        **{f"distinct_{length}": distinct.count / total for length, distinct in runs.items()},
        "estimated": [f"distinct_{length}" for length, distinct in runs.items() if distinct.sampled],
    }


def prefixes(known: Traits, chosen: np.ndarray) -> list[dict[str, Any]]:
    """The most common beginnings of three words."""
    values, counts = np.unique(known.prefixes[chosen], return_counts=True)
    order = np.lexsort((values, -counts))[:PREFIXES]
    told = []
    for value, count in zip(values[order], counts[order].tolist(), strict=True):
        words = prefix(known.text(int(np.argmax(known.prefixes == value))).split())
        told.append({"text": excerpt(words), "rows": count, "share": count / int(chosen.sum())})
    return told


def languages(known: Traits, chosen: np.ndarray) -> dict[str, Any] | None:
    """Rows by language, of those that were asked; None where that can't be measured."""
    if known.languages is None:
        return None
    place = known.languages.place[chosen]
    counts = np.bincount(place[place >= 0], minlength=len(known.languages.codes)).tolist()
    found = {code: count for code, count in zip(known.languages.codes, counts, strict=True) if count}
    return {"asked": sum(counts), "rows": dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))}


def near_duplicates(known: Traits, chosen: np.ndarray) -> dict[str, Any]:
    """Clusters of rows that are nearly the same as the first of them by id; of a group, those with two rows in it."""
    leaders = known.cluster[chosen]
    leaders, counts = np.unique(leaders[leaders >= 0], return_counts=True)
    leaders, counts = leaders[counts > 1], counts[counts > 1]
    largest = int(counts.max(initial=0))
    first = min(leaders[counts == largest].tolist(), key=lambda row: known.table["id"][row].as_py(), default=None)
    bins = np.bincount(np.searchsorted(EDGES, counts, "right") - 1, minlength=len(EDGES))
    return {
        "threshold": SIMILAR,
        "clusters": len(counts),
        "rows": int(counts.sum()),
        "share": int(counts.sum()) / int(chosen.sum()),
        "largest": largest,
        "example": "" if first is None else excerpt(known.text(first)),
        "sizes": [[int(EDGES[each]), int(EDGES[each + 1]) - 1, int(bins[each])] for each in np.flatnonzero(bins)],
    }


def compared(known: Traits, column: str, targets: Sequence[str], sizes: dict[str, int]) -> dict[str, Any]:
    """The profile of each of the largest groups, and how strongly each target goes together with them."""
    names, place = encoded(named(known.table[column]))
    counts = np.bincount(place, minlength=len(names))
    order = sorted(range(len(names)), key=lambda group: (-counts[group], names[group]))
    largest = {}
    for group in order[:GROUPS]:
        chosen = place == group
        classes = {target: tally(known.table.select([target]).filter(chosen), target) for target in targets}
        largest[names[group]] = described(known, chosen, classes, sizes)
    return {
        "column": column,
        "count": len(names),
        "cramers_v": {target: cramers_v(place, encoded(known.table[target])[1]) for target in targets},
        "largest": largest,
        "others": int(counts[order[GROUPS:]].sum()),
    }


def named(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The names of the groups; missing and blank values are `(none)`."""
    import pyarrow.compute as pc

    text = as_text(column)
    assert text is not None
    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(text)), 0)
    return pc.if_else(pc.fill_null(blank, True), NONE, text)


def encoded(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The different texts, and each row's place among them."""
    chunks = column.dictionary_encode().unify_dictionaries().chunks
    return chunks[0].dictionary.to_pylist(), np.concatenate([np.asarray(chunk.indices) for chunk in chunks])
