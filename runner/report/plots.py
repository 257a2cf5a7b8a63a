"""Charts of results in a box of 100 by 100: curves, reliability, scatter, parallel axes; templates draw them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from runner.report.charts import COLOURS

REST = f"k{COLOURS + 1}"  # the colour of all that have none of their own
TICKS = 4
FEW = 40  # points of a line that are marked, at most
LEAST = 1e-9  # of a scale: what differs less is drawn as one
MOST = 1e7  # from here on numbers are written with an exponent
PAD = 0.04  # of the range, above and below


class Line(NamedTuple):
    """A line: its colour, its points, and what it shows."""

    name: str
    colour: str
    points: str
    said: str


class Dot(NamedTuple):
    """A dot at `x` and `y` from the upper left corner, with a radius in pixels."""

    x: float
    y: float
    radius: float
    colour: str
    said: str


class Chart(NamedTuple):
    """Lines and dots over two scales; a tick is a place and a label, from the left or from the top."""

    title: str
    x: str
    y: str
    columns: Sequence[tuple[float, str]]
    rows: Sequence[tuple[float, str]]
    lines: Sequence[Line]
    dots: Sequence[Dot]

    @property
    def summary(self) -> str:
        """What the lines show, in sentences."""
        return " ".join(line.said for line in self.lines if line.said)


class Axis(NamedTuple):
    """A vertical scale at `x` with its values from the top."""

    x: float
    name: str
    ticks: Sequence[tuple[float, str]]


class Parallel(NamedTuple):
    """Axes side by side and a line a run through its value on each."""

    axes: Sequence[Axis]
    lines: Sequence[Line]


class Scale:
    """From values to places between 0 and 100; the ends are a little wider than the values."""

    def __init__(self, values: Iterable[float], pad: float = PAD) -> None:
        known = list(values) or [0.0, 1.0]
        low, high = min(known), max(known)
        pad = pad * (high - low) if high - low > LEAST else max(abs(high), LEAST) / 2
        self.low, self.high = low - pad, high + pad
        if low >= 0:
            self.low = max(self.low, 0.0)

    def at(self, value: float) -> float:
        return 100 * (value - self.low) / (self.high - self.low)

    def ticks(self, whole: bool = False) -> list[tuple[float, str]]:
        """Round numbers within the scale, each with its place."""
        step = rounded((self.high - self.low) / TICKS)
        step = max(1.0, step) if whole else step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        values = [place * step for place in range(first, last + 1)]
        exponent = digits > 6 or max(map(abs, values), default=0) >= MOST
        return [(self.at(value), f"{value:.3g}" if exponent else f"{value:,.{digits}f}") for value in values]


def rounded(step: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= step * (1 - 1e-9))


def upwards(ticks: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    """Places from the top."""
    return [(100 - place, label) for place, label in ticks]


def curve(chart: Mapping[str, Any]) -> Chart:
    """One metric over optimizer steps, a line a split."""
    lines = {split: each["points"] for split, each in chart["lines"].items()}
    return drawn(title(chart), {split: (split, split, points) for split, points in lines.items()}, chart["metric"])


def goes(points: Iterable[Sequence[Any]]) -> bool:
    """Whether any of these lines has two points."""
    return any(len(each) > 1 for each in points)


def title(chart: Mapping[str, Any]) -> str:
    """What a chart of a run shows."""
    return f"{chart['task']}: {chart['metric']}" if chart["task"] else str(chart["metric"])


def progress(board: Mapping[str, Any]) -> Chart:
    """The score that ranks, over the steps of each run; the best runs have colours."""
    known = colours(board)
    runs = {each["run"]: (each["run"], known.get(each["run"], REST), each["points"]) for each in board["progress"]}
    return drawn(board["by"]["key"], runs, board["by"]["metric"])


def colours(board: Mapping[str, Any]) -> dict[str, str]:
    """The colours of the best runs of a board."""
    return {row["run"]: f"k{row['rank'] - 1}" for row in board["rows"] if 1 <= row["rank"] <= COLOURS}


def drawn(title: str, lines: Mapping[str, tuple[str, str, Sequence[Sequence[float]]]], metric: str) -> Chart:
    """Lines of steps and values, the first on top; dots where points are few."""
    every = [point for _, _, points in lines.values() for point in points]
    across, up = Scale([step for step, _ in every], 0.02), Scale(value for _, value in every)
    made, dots = [], []
    for name, colour, points in lines.values():
        places = [(across.at(step), 100 - up.at(value)) for step, value in points]
        said = course(name, points)
        made.append(Line(name, colour, " ".join(f"{x:.2f},{y:.2f}" for x, y in places), said))
        if len(points) <= FEW:
            told = (f"{name}, step {step:,.0f}: {value:.4g}" for step, value in points)
            dots += [Dot(x, y, 2.5, colour, each) for (x, y), each in zip(places, told, strict=True)]
    return Chart(title, "optimizer steps", metric, across.ticks(True), upwards(up.ticks()), made[::-1], dots[::-1])


def course(name: str, points: Sequence[Sequence[float]]) -> str:
    """How a line goes, in a sentence."""
    values = [value for _, value in points]
    if len(values) == 1:
        return f"{name}: {values[0]:.3f} at step {points[0][0]:,.0f}."
    return f"{name}: from {values[0]:.3f} to {values[-1]:.3f}, between {min(values):.3f} and {max(values):.3f}."


def reliability(found: Mapping[str, Any]) -> Chart:
    """Accuracy by confidence; dots on the diagonal are answers as often right as they are sure."""
    most = max(each["n"] for each in found["bins"])
    dots = [
        Dot(
            100 * each["confidence"],
            100 - 100 * each["accuracy"],
            2.5 + 6 * math.sqrt(each["n"] / most),
            "train",
            f"confidence {each['confidence']:.1%}, accuracy {each['accuracy']:.1%}, {each['n']:,} answers",
        )
        for each in found["bins"]
    ]
    gaps = [Line("", "gap", f"{dot.x:.2f},{100 - dot.x:.2f} {dot.x:.2f},{dot.y:.2f}", "") for dot in dots]
    said = f"Expected calibration error {found['error']:.3f} over {found['n']:,} answers."
    ticks = [(each, f"{each} %") for each in (0, 25, 50, 75, 100)]
    even = Line("", "even", "0,100 100,0", said)
    return Chart("Reliability", "confidence", "accuracy", ticks, upwards(ticks), [even, *gaps], dots)


def scatter(dots: Sequence[Sequence[float | None]], total: int) -> Chart:
    """What was predicted by what the data say, over one scale; dots on the diagonal are right."""
    known = [(gold, said) for gold, said in dots if gold is not None and said is not None]
    scale = Scale(value for pair in known for value in pair)
    made = [
        Dot(scale.at(gold), 100 - scale.at(said), 2.5, "train", f"gold {gold:.4g}, predicted {said:.4g}")
        for gold, said in known
    ]
    even = Line("", "even", "0,100 100,0", f"{len(known):,} of {total:,} answers; on the diagonal both are equal.")
    return Chart("Numbers", "gold", "predicted", scale.ticks(), upwards(scale.ticks()), [even], made)


def parallel(board: Mapping[str, Any]) -> Parallel | None:
    """A line a run through its values on all axes, the last being its score; None for fewer than 3 runs."""
    by, fields = board["by"], [axis["field"] for axis in board["axes"]]
    runs = [row for row in board["rows"] if row["rank"]]
    if not fields or len(runs) < 3:
        return None
    scales = [scaled([row["point"].get(field) for row in runs]) for field in fields]
    values = [row["scores"][by["key"]]["value"] for row in runs]
    score = Scale(values)
    width = 100 / len(fields)
    axes = [
        Axis(width * place, field, ticks) for place, (field, (_, ticks)) in enumerate(zip(fields, scales, strict=True))
    ]
    axes.append(Axis(100, by["metric"], upwards(score.ticks())))
    known, lines = colours(board), []
    for row, value in zip(runs, values, strict=True):
        tops = [at[repr(row["point"].get(field))] for field, (at, _) in zip(fields, scales, strict=True)]
        places = [(width * at, top) for at, top in enumerate([*tops, 100 - score.at(value)])]
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
        lines.append(Line(row["run"], known.get(row["run"], REST), points, f"{row['run']}: {value:.3f}"))
    return Parallel(axes, lines[::-1])


def scaled(values: Sequence[Any]) -> tuple[dict[str, float], list[tuple[float, str]]]:
    """The place of each value from the top, and ticks: many numbers on a scale, anything else at equal distances."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    known = (
        sorted(set(numbers)) if len(numbers) == len(values) else list({repr(each): each for each in values}.values())
    )
    if len(known) > 2 * TICKS and len(numbers) == len(values):
        logarithmic = known[0] > 0 and known[-1] / known[0] > 20
        scale = Scale([math.log10(value) if logarithmic else value for value in known])
        at = {repr(value): 100 - scale.at(math.log10(value) if logarithmic else value) for value in values}
        ends = [known[0], known[len(known) // 2], known[-1]]
        return at, [(at[repr(value)], f"{value:.3g}") for value in ends]
    places = {repr(value): 95 - 90 * place / max(len(known) - 1, 1) for place, value in enumerate(known)}
    return places, [(places[repr(value)], "–" if value is None else str(value)) for value in known]
