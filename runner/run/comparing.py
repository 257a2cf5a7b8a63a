"""What `runner compare` says of two sides: in what they differ, what that did to the scores, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.evaluate.holm import holm
from runner.evaluate.power import needed
from runner.run.aligned import aligned
from runner.run.duel import better, duel
from runner.run.match import match
from runner.store.differences import differences
from runner.store.named import Named, named

WIDE = 48  # characters of a value that is shown

Row = dict[str, Any]


def facts(
    results: Path,
    first: str,
    second: str,
    confidence: float = 0.95,
    resamples: int = 2000,
    wished: float | None = None,
) -> dict[str, Any]:
    """The comparison of two runs, or of two experiments where one side has several; `difference` is b less a.

    `needed` says how many examples or seeds would show a difference that is wished for, or else the one that was found.
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise RunnerError("a confidence lies between 0 and 1, and at least one sample is drawn", "try 0.95 and 2000")
    a, b = named(results, first), named(results, second)
    alone = len(a.runs) == len(b.runs) == 1
    if alone:
        scores, warnings = duel(results, a.runs[0], b.runs[0], confidence, resamples)
    else:
        scores, warnings = match(results, a.runs, b.runs, confidence)
    found = differences(results, a.runs, b.runs)
    if not alone:
        warnings += other(found["data"], {row["split"] for row in scores})
    corrected(scores)
    for row in scores:
        row["better"] = better(row, 1 - confidence)
        row["needed"] = enough(row, wished, confidence)
    return {
        "kind": "runs" if alone else "experiments",
        "a": side(a),
        "b": side(b),
        "confidence": confidence,
        **found,
        "scores": scores,
        "warnings": [*warnings, *noise(scores, 1 - confidence)],
    }


def enough(row: Row, wished: float | None, confidence: float) -> int | None:
    """How many examples or seeds a difference needs, where it is known how far chance moves it."""
    if row["low"] is None or not row["n"]:
        return None
    return needed(row["n"], row["low"], row["high"], row["difference"] if wished is None else wished, confidence)


def side(of: Named) -> Row:
    """One side as it was named, and its runs."""
    return {"named": of.word, "runs": list(of.runs)}


def other(data: Sequence[Row], splits: set[str]) -> list[str]:
    """Files of the splits that scores are of, where they differ between experiments, whose examples are not matched."""
    names = [row["name"] for row in data if not row["name"].startswith("encode ")]
    return [
        f"the files of {name} differ: these are scores of other examples"
        for name in names
        if name.split()[-1] in splits
    ]


def corrected(scores: Sequence[Row]) -> None:
    """Holm's correction over all tests that are shown."""
    places = [(row, name) for row in scores for name in ("p", "mcnemar") if row.get(name) is not None]
    for row in scores:
        row |= {f"{name}_holm": None for name in ("p", "mcnemar") if name in row}
    for (row, name), chance in zip(places, holm([row[name] for row, name in places]), strict=True):
        row[f"{name}_holm"] = chance


def noise(scores: Sequence[Row], level: float) -> Iterator[str]:
    """Which differences are inside the noise, as their interval holds 0 or chance does as well; of which none knows."""
    inside = [
        label(row)
        for row in scores
        if (row["low"] is not None and row["low"] <= 0 <= row["high"]) or (row["p_holm"] or 0) > level
    ]
    if inside:
        yield f"inside the noise (the interval holds 0, or p after Holm is above {level:.2g}): {', '.join(inside)}"
    unknown = [label(row) for row in scores if row["low"] is None and "cohen_d" in row]
    if unknown:
        yield f"one pair tells nothing of the noise: {', '.join(unknown)}"


def label(row: Row) -> str:
    """The name of a score."""
    return f"{row['task']}.{row['metric']}"


def text(found: dict[str, Any]) -> str:
    """The same for a person."""
    lines = [f"{word}  {found[word]['named']}: {', '.join(found[word]['runs'])}" for word in "ab"]
    for kind in ("spec", "data", "environment"):
        lines += ["", kind if found[kind] else f"{kind}: nothing differs"]
        cells = [(row["name"], short(row["a"]), short(row["b"])) for row in found[kind]]
        lines += aligned([("", "a", "b"), *cells], indent=2) if cells else []
    lines += ["", f"scores, b less a, {found['confidence']:.0%} intervals", *aligned(table(found["scores"]), indent=2)]
    warnings = [f"warning: {each}" for each in found["warnings"]]
    return "\n".join([*lines, *([""] if warnings else []), *warnings])


def table(scores: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Scores as cells."""
    more = {"p": "p", "p_holm": "holm", "mcnemar": "mcnemar", "mcnemar_holm": "holm", "cohen_d": "d", "test": "test"}
    more = {name: head for name, head in more.items() if any(row.get(name) is not None for row in scores)}
    yield ("task", "split", "metric", "a", "b", "difference", "interval", *more.values(), "n", "needed", "better")
    for row in scores:
        yield (
            *(row[name] for name in ("task", "split", "metric")),
            f"{row['a']:.4f}",
            f"{row['b']:.4f}",
            f"{row['difference']:+.4f}",
            "" if row["low"] is None else f"{row['low']:+.4f} to {row['high']:+.4f}",
            *(number(row[name]) for name in more),
            size(row),
            "" if row["needed"] is None else f"{row['needed']:,}",
            row["better"] or "",
        )


def size(row: Row) -> str:
    """How many examples or pairs, or runs of each side."""
    return str(row["n"]) if row["n"] is not None else f"{row['n_a']}, {row['n_b']}" if "n_a" in row else ""


def number(value: float | str | None) -> str:
    """A cell; no chance is shown as none at all."""
    if value is None or isinstance(value, str):
        return value or ""
    return "<0.0001" if 0 <= value < 5e-5 else f"{value:.4f}"


def short(value: str | None) -> str:
    """A value that fits a line; a dash where there is none."""
    return "-" if value is None else value if len(value) <= WIDE else f"{value[: WIDE - 1]}…"
