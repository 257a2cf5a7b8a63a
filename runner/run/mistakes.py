"""What `runner errors` says: what a run confuses, where it is most wrong and why that may be, class by class."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.data.packages import installed
from runner.data.tables import mapped
from runner.evaluate.confused import Row, cards, confusions, missed, number
from runner.evaluate.grams import grams
from runner.evaluate.neighbours import neighbours
from runner.evaluate.suspects import suspects
from runner.run.aligned import aligned
from runner.store.findings import JUDGED, asked
from runner.store.query import Ask, asking
from runner.store.show import unique

FEW = 3  # neighbours of a mistake
LEVEL = 0.05  # of the grams that are told
CARD = ("label", "F1", "precision", "recall", "n", "taken for", "mistaken")
WIDE = 80  # characters of a text in a terminal

ANSWERS = f"""
    {JUDGED} SELECT task, split, form, id, gold, predicted, confidence, gold_probability, text FROM here
    WHERE form = 'choices' ORDER BY task, position
"""
SPLITS = """
    SELECT string_split(name, ' ')[2] AS data, key FROM stages
    WHERE list_contains($runs, run) AND string_split(name, ' ')[1] = 'split' ORDER BY time
"""
SPEC = "SELECT resolved FROM specs WHERE list_contains($runs, run)"


def facts(results: Path, word: str, most: int = 20) -> dict[str, Any]:
    """The errors of a run, at most so many of each kind for each of its tasks that choose one label."""
    run = unique(results, word)
    with asking(results) as ask:
        return {"run": run, "tasks": list(erring(ask, Cache(results / "cache"), run, most).values())}


def erring(ask: Ask, cache: Cache, run: str, most: int = 20) -> dict[str, Row]:
    """The same, by task."""
    by_task: dict[str, list[Row]] = {}
    for row in asked(ask, ANSWERS, [run]):
        by_task.setdefault(row["task"], []).append(row)
    return {
        task: {
            "task": task,
            "split": rows[0]["split"],
            "n": len(rows),
            "wrong": sum(map(missed, rows)),
            "confusions": list(confusions(rows))[:most],
            "losses": losses(rows, list(learned(ask, cache, run, task)), most),
            "suspects": doubted(rows, most),
            "grams": told_grams(rows, most),
            "classes": list(cards(rows)),
        }
        for task, rows in by_task.items()
    }


def losses(rows: Sequence[Row], train: Sequence[Row], most: int) -> list[Row]:
    """The wrong answers that found the right label least likely, with the training rows nearest to them."""
    known = [row for row in rows if missed(row) and number(row["gold_probability"]) is not None]
    worst = sorted(known, key=lambda row: float(row["gold_probability"]))[:most]
    near = neighbours([row["text"] or "" for row in worst], [row["text"] for row in train], FEW) if train else None
    return [
        {
            **{name: row[name] for name in ("id", "text", "gold", "predicted", "confidence", "gold_probability")},
            "loss": -math.log(max(float(row["gold_probability"]), 1e-300)),
            "nearest": [{**train[each.place], "similarity": each.similarity} for each in near[at]] if near else [],
        }
        for at, row in enumerate(worst)
    ]


def doubted(rows: Sequence[Row], most: int) -> list[Row] | None:
    """Examples whose label in the data looks wrong; None where the package that tells them is not installed."""
    if installed("cleanlab") is None:
        return None
    columns = [[row[name] for row in rows] for name in ("gold", "predicted")]
    chances = [[number(row[name]) for row in rows] for name in ("confidence", "gold_probability")]
    names = ("id", "text", "gold", "predicted", "confidence", "gold_probability")
    return [{name: rows[at][name] for name in names} for at in suspects(*columns, *chances)[:most]]


def told_grams(rows: Sequence[Row], most: int) -> list[Row]:
    """Words that go with errors beyond what chance does among all that were tested."""
    found = grams([row["text"] or "" for row in rows], list(map(missed, rows)))
    return [vars(each) for each in found if each.p_holm <= LEVEL][:most]


def learned(ask: Ask, cache: Cache, run: str, task: str) -> Iterator[Row]:
    """The training rows of a task as text and label; none where the cache has them no more."""
    (spec,) = [json.loads(row["resolved"] or "{}") for row in asked(ask, SPEC, [run])] or [{}]
    part = spec.get("tasks", {}).get(task, {})
    keys = {row["data"]: row["key"] for row in asked(ask, SPLITS, [run])}
    inputs = [part["input"]] if isinstance(part.get("input"), str) else part.get("input") or []
    for data in part.get("data", ()):
        entry = cache.find("split", keys[data]) if data in keys else None
        path = entry / "train.arrow" if entry else None
        if path is None or not path.is_file() or not inputs:
            continue
        table = mapped(path)
        texts = zip(*(table[column].to_pylist() for column in inputs), strict=True)
        for id, text, label in zip(table["id"].to_pylist(), texts, table[part["target"]].to_pylist(), strict=True):
            yield {"id": id, "text": " | ".join(text), "label": label}


def text(found: Mapping[str, Any]) -> str:
    """The same for a person."""
    lines = [] if found["tasks"] else [f"{found['run']}: no task chooses one label, so there is nothing to confuse"]
    for task in found["tasks"]:
        lines += [f"{task['task']}, {task['split']}: {task['wrong']} of {task['n']} answers are wrong", *sections(task)]
    return "\n".join(lines)


def sections(task: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one task."""
    for row in task["confusions"]:
        yield f"\n  {row['gold']} taken for {row['predicted']}: {row['count']}, {row['share']:.0%} of the label"
        yield from (f"    {short(each['text'])}" for each in row["examples"])
    yield "\n  worst losses, with the nearest training rows" if task["losses"] else ""
    for row in task["losses"]:
        yield f"  {row['loss']:.2f}  {row['gold']} taken for {row['predicted']}: {short(row['text'])}"
        yield from (
            f"        {each['similarity']:.2f}  {each['label']}: {short(each['text'])}" for each in row["nearest"]
        )
    if task["suspects"] is None:
        yield "\n  likely wrong labels are told by `cleanlab`: pip install 'runner[clean]'"
    elif task["suspects"]:
        yield "\n  labels of the data that are likely wrong"
        yield from (f"  {row['gold']}, rather {row['predicted']}: {short(row['text'])}" for row in task["suspects"])
    if task["grams"]:
        yield "\n  words that go with errors"
        head = ("word", "texts", "wrong", "log odds", "p", "holm")
        cells = [
            (row["gram"], *(f"{row[name]:.3g}" for name in ("n", "wrong", "log_odds", "p", "p_holm")))
            for row in task["grams"]
        ]
        yield from aligned([head, *cells], indent=2)
    yield "\n  classes, the lowest F1 first"
    yield from aligned([CARD, *map(line, task["classes"])], indent=2)


def line(card: Mapping[str, Any]) -> tuple[str, ...]:
    """A card as cells."""
    shares = ["" if card[name] is None else f"{card[name]:.3f}" for name in ("f1", "precision", "recall")]
    others = [
        ", ".join(f"{each['label']} {each['count']}" for each in card[name]) for name in ("taken_for", "mistaken")
    ]
    return card["label"], *shares, str(card["support"]), *others


def short(text: str | None) -> str:
    """A text that fits a line."""
    flat = " ".join((text or "").split())
    return flat if len(flat) <= WIDE else f"{flat[: WIDE - 1]}…"
