"""Deck: what a reviewer is shown of runs, one card at a time: an answer to rate, or those of two runs side by side.

Which examples, in what order, and which run stands left follow from the seed and the reviewer's name alone, so a
review goes on where it was left; nothing on a card tells which run wrote what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from runner.errors import RunnerError, nearest
from runner.store.kept import Kept, kept, matched


class Side(NamedTuple):
    """What a run wrote."""

    run: str
    text: str


class Card(NamedTuple):
    """One example of a task, what was to be answered, what is in the data, and one or two sides as they are shown."""

    task: str
    split: str
    id: str
    prompt: str
    gold: str
    sides: tuple[Side, ...]

    @property
    def run(self) -> str:
        """The run whose log keeps what is said of it."""
        return min(side.run for side in self.sides)

    @property
    def other(self) -> str:
        """The run that it is compared with; empty where one answer is rated."""
        return max(side.run for side in self.sides) if len(self.sides) > 1 else ""


class Deck(NamedTuple):
    """Cards in their order; `alike` counts pairs of equal answers, which nobody must compare."""

    cards: tuple[Card, ...]
    alike: int


def deck(results: Path, runs: Sequence[str], task: str, split: str, reviewer: str, seed: int, most: int) -> Deck:
    """The cards of a reviewer: at most so many examples, the same for all reviewers."""
    found = [chosen(kept(results, run), run, task, split) for run in runs]
    pairs = [*combinations(range(len(runs)), 2)]
    if not pairs:
        cards = [card(found[0], [(runs[0], row)], "") for row in found[0].rows]
        return Deck(drawn(cards, reviewer, seed, most), 0)
    cards, alike = [], 0
    for one, other in pairs:
        for first, second in matched(found[one].rows, found[other].rows, "id"):
            if first["predicted"] == second["predicted"]:
                alike += 1
            else:
                words = f"{seed} {reviewer} {first['id']} {runs[one]} {runs[other]}"
                cards.append(card(found[one], [(runs[one], first), (runs[other], second)], words))
    return Deck(drawn(cards, reviewer, seed, most), alike)


def chosen(found: dict[tuple[str, str, str], Kept], run: str, task: str, split: str) -> Kept:
    """The answers of one task and split of a run; RunnerError where that names none or several."""
    fitting = {place: each for place, each in found.items() if task in ("", place[0]) and split == place[1]}
    texts = {place: each for place, each in fitting.items() if place[2] == "texts"}
    fitting = texts or fitting
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    there = ", ".join(f"`--task {name} --split {part}`" for name, part, _ in found)
    if not found:
        raise RunnerError(f"`{run}` has no answers to review", "`runner show` tells what a run recorded")
    if fitting:
        raise RunnerError(f"`{run}` has answers of {len(fitting)} tasks", f"name one: {there}")
    near = nearest(task, {place[0] for place in found}) if task else None
    meant = f"did you mean `{near}`? " if near and near != task else ""
    raise RunnerError(f"`{run}` has no answers of task `{task or 'any'}` on `{split}`", f"{meant}there are {there}")


def card(whose: Kept, told: Sequence[tuple[str, dict[str, str]]], words: str) -> Card:
    """A card; the words decide who stands left."""
    sides = [Side(run, row["predicted"] or "") for run, row in told]
    row = told[0][1]
    turned = bool(words) and hashed(words)[-1] % 2 == 1
    shown = tuple(sides[::-1] if turned else sides)
    return Card(whose.task, whose.split, row["id"], row["text"] or "", row["gold"] or "", shown)


def drawn(cards: Sequence[Card], reviewer: str, seed: int, most: int) -> tuple[Card, ...]:
    """The cards of the examples that the seed draws, in the order of a reviewer."""
    ids = sorted({each.id for each in cards}, key=lambda id: hashed(f"{seed} {id}"))[:most]
    own = [each for each in cards if each.id in set(ids)]
    return tuple(sorted(own, key=lambda each: hashed(f"{seed} {reviewer} {each.id} {each.run} {each.other}")))


def hashed(words: str) -> bytes:
    """The bytes that decide."""
    return hashlib.sha256(words.encode()).digest()
