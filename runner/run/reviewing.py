"""Reviewing: what people say of answers, put on record in the logs of their runs, and what all of it comes to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from runner.errors import RunnerError
from runner.evaluate.agreement import agreement
from runner.evaluate.student import mean
from runner.evaluate.wins import strengths, wins
from runner.run.deck import Card, Deck, deck
from runner.run.work import folder_of
from runner.store.log import Log, attempts
from runner.store.named import named, quoted
from runner.store.query import query

SCALE = (1, 5)  # of a rating
VERDICTS = {"better": 1.0, "tie": 0.5, "worse": 0.0}
SAID = """
    SELECT task, split, id, reviewer, criterion, run, other, verdict, value FROM reviews
    WHERE list_contains($runs, run) AND (other = '' OR list_contains($runs, other))
    ORDER BY task, split, id, reviewer, criterion, run, other
"""


class Review(NamedTuple):
    """One reviewer's share: the runs, the cards, and what is asked of each."""

    results: Path
    reviewer: str
    runs: tuple[str, ...]
    criteria: tuple[str, ...]
    deck: Deck

    @property
    def compares(self) -> bool:
        """Whether runs are compared, rather than one rated."""
        return len(self.runs) > 1

    def left(self) -> list[Card]:
        """The cards that this reviewer has not judged by all criteria yet, in their order."""
        done = {
            (row["id"], row["run"], row["other"], row["criterion"])
            for row in said(self.results, self.runs)
            if row["reviewer"] == self.reviewer
        }
        return [
            card
            for card in self.deck.cards
            if any((card.id, card.run, card.other, criterion) not in done for criterion in self.criteria)
        ]

    def judge(self, card: Card, criterion: str, said: str | int, note: str = "", seconds: float | None = None) -> None:
        """Record what was said of a card: `left`, `right` or `tie` of two sides, else a number of the scale.

        It takes the place of what this reviewer said before. Raises RunnerError for anything else.
        """
        if criterion not in self.criteria:
            raise RunnerError(f"`{criterion}` is not asked", f"there are {', '.join(self.criteria)}")
        fields = compared(card, said) if self.compares else rated(said)
        folder = folder_of(self.results, card.run)
        log = Log(folder, card.run, max(attempts(folder), 1))
        where = {"task": card.task, "split": card.split, "id": card.id, "other": card.other}
        log.write("review", **where, reviewer=self.reviewer, criterion=criterion, **fields, note=note, seconds=seconds)
        log.close()
        if log.broken:
            raise RunnerError(f"cannot record a review: {log.broken}", "free some space, then go on")


def review(
    results: Path,
    words: Sequence[str],
    reviewer: str,
    *,
    task: str = "",
    split: str = "test",
    criteria: Sequence[str] = (),
    seed: int = 0,
    most: int = 50,
) -> Review:
    """What a reviewer is asked about runs, each named as `runner compare` names them."""
    if not reviewer.strip():
        raise RunnerError("a review needs the name of its reviewer", "`--reviewer NAME`")
    runs = tuple(dict.fromkeys(single(results, word) for word in words))
    asked = tuple(dict.fromkeys(criteria)) or ("overall",)
    return Review(results, reviewer, runs, asked, deck(results, runs, task, split, reviewer, seed, most))


def single(results: Path, word: str) -> str:
    """The run that a word names."""
    found = named(results, word).runs
    if len(found) > 1:
        raise RunnerError(f"`{word}` names {len(found)} runs", f"name one: {quoted([*found[:5]])}")
    return found[0]


def compared(card: Card, said: str | int) -> dict[str, Any]:
    """What a choice of a side says of the card's run."""
    if said == "tie":
        return {"verdict": "tie", "value": None}
    if said not in ("left", "right"):
        raise RunnerError(f"`{said}` is no verdict", "say left, right or tie")
    chosen = card.sides[said == "right"].run
    return {"verdict": "better" if chosen == card.run else "worse", "value": None}


def rated(said: str | int) -> dict[str, Any]:
    """A rating within the scale."""
    low, high = SCALE
    if not (isinstance(said, int) or said.isdigit()) or not low <= int(said) <= high:
        raise RunnerError(f"`{said}` is no rating", f"say a number from {low} to {high}")
    return {"verdict": "", "value": int(said)}


def said(results: Path, runs: Sequence[str]) -> list[dict[str, Any]]:
    """All that was said of these runs, each alone or two of them together."""
    found: list[dict[str, Any]] = query(results, SAID, {"runs": [*runs]}).to_pylist()
    return found


def facts(results: Path, words: Sequence[str]) -> dict[str, Any]:
    """What all reviewers said of runs: win rates and strengths, mean ratings, and how far they agree."""
    runs = [single(results, word) for word in words]
    rows = said(results, runs)
    pairs, alone = [row for row in rows if row["other"]], [row for row in rows if not row["other"]]
    return {
        "runs": runs,
        "reviewers": sorted({row["reviewer"] for row in rows}),
        "wins": [*won(pairs)],
        "strengths": [*strong(pairs)],
        "ratings": [*means(alone)],
        "agreement": [*agreed(pairs, "nominal"), *agreed(alone, "ordinal")],
    }


def won(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """By criterion and pair of runs how often the first was preferred."""
    for (criterion, run, other), own in grouped(rows, "criterion", "run", "other").items():
        found = wins([*things(own).values()])
        yield {"criterion": criterion, "run": run, "other": other} | found._asdict()


def strong(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """By criterion the strength of each run, where there are more than two."""
    for (criterion,), own in grouped(rows, "criterion").items():
        among = grouped(own, "run", "other")
        pairs = {(run, other): wins([*things(each).values()]) for (run, other), each in among.items()}
        if len({run for pair in pairs for run in pair}) > 2:
            ranked = sorted(strengths(pairs).items(), key=lambda each: -each[1])
            yield from ({"criterion": criterion, "run": run, "strength": value} for run, value in ranked)


def means(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """By criterion and run the mean rating over examples, with its t-interval."""
    for (criterion, run), own in grouped(rows, "criterion", "run").items():
        found = mean([sum(values) / len(values) for values in things(own).values()])
        doubt = {"mean": found.value, "low": found.low, "high": found.high, "n": found.n}
        yield {"criterion": criterion, "run": run} | doubt


def agreed(rows: Sequence[Mapping[str, Any]], level: Any) -> Iterator[dict[str, Any]]:
    """By criterion Krippendorff's alpha over what several reviewers judged."""
    for (criterion,), own in grouped(rows, "criterion").items():
        judged = grouped(own, "task", "split", "id", "run", "other").values()
        alpha = agreement([{row["reviewer"]: number(row) for row in each} for each in judged], level)
        shared = sum(len(each) > 1 for each in judged)
        yield {"criterion": criterion, "level": level, "alpha": None if math.isnan(alpha) else alpha, "shared": shared}


def things(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], list[float]]:
    """What was said of each example, as numbers."""
    return {key: [number(row) for row in each] for key, each in grouped(rows, "task", "split", "id").items()}


def number(row: Mapping[str, Any]) -> float:
    """A verdict or rating as a number."""
    return float(row["value"]) if row["value"] is not None else VERDICTS[row["verdict"]]


def grouped(rows: Sequence[Mapping[str, Any]], *names: str) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Rows by some columns, in the order of their first."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def text(found: Mapping[str, Any]) -> str:
    """The same for people."""
    if not found["reviewers"]:
        return f"nobody has reviewed {quoted(found['runs'])} yet; `runner review {' '.join(found['runs'])}` begins"
    lines = [f"reviewers: {', '.join(found['reviewers'])}"]
    lines += [f"{each['criterion']}: {each['run']} over {each['other']}  {rate(each)}" for each in found["wins"]]
    lines += [f"{each['criterion']}: strength of {each['run']}  {each['strength']:+.2f}" for each in found["strengths"]]
    lines += [f"{each['criterion']}: {each['run']}  {rating(each)}" for each in found["ratings"]]
    lines += [f"{each['criterion']}: agreement of reviewers  {alpha(each)}" for each in found["agreement"]]
    return "\n".join(lines)


def rate(found: Mapping[str, Any]) -> str:
    """A win rate with its interval and counts."""
    share = f"{found['rate']:.0%} ({found['low']:.0%} to {found['high']:.0%})"
    counts = f"{found['better']} better, {found['worse']} worse, {found['ties']} ties"
    return f"{share}, {counts} on {found['n']} examples"


def rating(found: Mapping[str, Any]) -> str:
    """A mean rating with its interval."""
    doubt = "" if math.isnan(found["low"]) else f" ({found['low']:.2f} to {found['high']:.2f})"
    return f"{found['mean']:.2f}{doubt} of {SCALE[1]} on {found['n']} examples"


def alpha(found: Mapping[str, Any]) -> str:
    """How far reviewers agree."""
    value = "unknown" if found["alpha"] is None else f"{found['alpha']:.2f}"
    return f"{value} (Krippendorff's alpha, {found['level']}), {found['shared']} judged by several"
