"""What people say of answers: blind, resumable, on record, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.run import ballots
from runner.run.asking import ask
from runner.run.experiment import settle
from runner.run.reviewing import Review, facts, review, text
from runner.store.ingest import rebuild
from runner.store.log import Log
from runner.store.query import query
from tests.store.conftest import start

WROTE = {"old-1": "a story about {}", "new-1": "a longer story about {}", "odd-1": "words and {}"}


def write(results: Path, run: str, count: int = 6, same: int = 1) -> None:
    """A run that wrote texts, of which the last few are those of all others."""
    log = Log(results / "runs" / run, run, 1)
    start(log, name=run[:3])
    texts = [WROTE[run].format(at) if at < count - same else f"the end {at}" for at in range(count)]
    log.write(
        "samples",
        split="test",
        task="tale",
        model="best",
        ids=[f"i{at}" for at in range(count)],
        prompt=[f"tell of {at}" for at in range(count)],
        gold=[f"gold {at}" for at in range(count)],
        text=texts,
        tokens=[3] * count,
        ended=[True] * count,
    )
    log.write("run_finished", state="finished", seconds=1.0)
    log.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for run in WROTE:
        write(tmp_path, run)
    return tmp_path


def prefer(text: str) -> Callable[[Review], None]:
    """A reviewer who always finds one text better."""

    def judge(own: Review) -> None:
        for card in own.left():
            sides = [text in side.text for side in card.sides]
            own.judge(card, "overall", "left" if sides[0] else "right")

    return judge


def test_side_by_side_is_blind_and_the_same_for_all_but_the_order(store: Path) -> None:
    one, other = (review(store, ["old", "new"], name) for name in ("ann", "bea"))
    assert {card.id for card in one.left()} == {card.id for card in other.left()} == {f"i{at}" for at in range(5)}
    assert one.deck.alike == 1
    assert one.left() == review(store, ["old", "new"], "ann").left()
    assert [card.id for card in one.left()] != [card.id for card in other.left()]
    sides = {card.sides[0].run for name in "abcdef" for card in review(store, ["old", "new"], name).left()}
    assert sides == {"old-1", "new-1"}


def test_a_review_goes_on_where_it_was_and_a_second_word_counts(store: Path) -> None:
    own = review(store, ["old", "new"], "ann")
    first = own.left()[0]
    own.judge(first, "overall", "tie", note="both dull", seconds=2.5)
    assert own.left()[0] != first and len(own.left()) == 4
    own.judge(first, "overall", "left")
    (row,) = query(store, "SELECT run, other, verdict, note FROM reviews").to_pylist()
    better = first.sides[0].run == "new-1"
    assert row == {"run": "new-1", "other": "old-1", "verdict": "better" if better else "worse", "note": ""}


def test_a_finished_run_stays_as_it_ended(store: Path) -> None:
    own = review(store, ["new"], "ann")
    own.judge(own.left()[0], "overall", 3)
    settle(store / "runs" / "new-1")
    assert (store / "runs/new-1/log.jsonl").read_text().count('"run_finished"') == 1


def test_what_all_reviewers_said(store: Path) -> None:
    for name, text_ in (("ann", "longer"), ("bea", "longer"), ("cy", "a story")):
        prefer(text_)(review(store, ["old", "new"], name))
    found = facts(store, ["old", "new"])
    (won,) = found["wins"]
    assert (won["run"], won["other"], won["better"], won["worse"], won["n"]) == ("new-1", "old-1", 10, 5, 5)
    assert won["rate"] == pytest.approx(2 / 3) and won["low"] < 2 / 3 < won["high"]
    (agreed,) = found["agreement"]
    assert agreed["shared"] == 5 and agreed["alpha"] < 0
    assert "new-1 over old-1  67% (" in text(found)


def test_three_runs_have_strengths(store: Path) -> None:
    prefer("story")(review(store, ["odd", "new"], "ann"))
    prefer("longer")(review(store, ["old", "new"], "ann"))
    ranked = [each["run"] for each in facts(store, ["old", "new", "odd"])["strengths"]]
    assert ranked[0] == "new-1" and sorted(ranked) == ["new-1", "odd-1", "old-1"]


def test_ratings_by_several_criteria(store: Path) -> None:
    own = review(store, ["new"], "ann", criteria=["coherence", "humour"], most=4)
    assert len(own.left()) == 4
    for at, card in enumerate(own.left()):
        own.judge(card, "coherence", 2 + at % 2)
        assert card in own.left()
        own.judge(card, "humour", "5")
    assert not own.left()
    found = {each["criterion"]: each for each in facts(store, ["new"])["ratings"]}
    assert (found["coherence"]["mean"], found["coherence"]["n"]) == (2.5, 4)
    assert found["humour"]["mean"] == 5.0


@pytest.mark.parametrize(
    ("runs", "said", "message"),
    [(["old", "new"], "both", "is no verdict"), (["old"], "9", "is no rating"), (["old"], "left", "is no rating")],
)
def test_what_is_no_judgement(store: Path, runs: list[str], said: str, message: str) -> None:
    own = review(store, runs, "ann")
    with pytest.raises(RunnerError, match=message):
        own.judge(own.left()[0], "overall", said)
    with pytest.raises(RunnerError, match="is not asked"):
        own.judge(own.left()[0], "beauty", "tie")
    with pytest.raises(RunnerError, match="needs the name"):
        review(store, runs, " ")
    with pytest.raises(RunnerError, match="no answers of task `tail`"):
        review(store, runs, "ann", task="tail")


def test_in_a_terminal(store: Path) -> None:
    words, said = iter(["what", "1", "0", "s", "q"]), list[str]()
    assert ask(review(store, ["old", "new"], "ann"), lambda _: next(words), said.append) == 3
    assert "say 1 or 2 is better, 0 a tie, s or q" in said
    assert len(query(store, "FROM reviews").to_pylist()) == 2

    def ends(_: str) -> str:
        raise EOFError

    assert ask(review(store, ["old", "new"], "ann"), ends, said.append) == 0


def test_lines_of_json_come_back_once(store: Path, tmp_path: Path) -> None:
    prefer("longer")(review(store, ["old", "new"], "ann"))
    before, file = query(store, "SELECT * FROM reviews ORDER BY ALL").to_pylist(), tmp_path / "said.jsonl"
    assert ballots.export(store, ["new-1"], file) == 5
    elsewhere = tmp_path / "elsewhere"
    for run in WROTE:
        write(elsewhere, run)
    assert ballots.take(elsewhere, file) == (5, 0)
    assert ballots.take(elsewhere, file) == (0, 5)
    assert query(elsewhere, "SELECT * FROM reviews ORDER BY ALL").to_pylist() == before
    rebuild(elsewhere)
    assert query(elsewhere, "SELECT * FROM reviews ORDER BY ALL").to_pylist() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": "nev-1"}, "did you mean `new-1`"),
        ({"verdict": "great"}, "`verdict` is one of"),
        ({"other": "", "verdict": "", "value": 9}, "from 1 to 5"),
        ({"id": None}, "it needs texts"),
    ],
)
def test_wrong_lines_are_named_and_nothing_is_recorded(
    store: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    good = {"run": "new-1", "other": "old-1", "id": "i0", "reviewer": "a", "criterion": "overall", "verdict": "tie"}
    file = tmp_path / "said.jsonl"
    file.write_text(f"{json.dumps(good)}\n{json.dumps(good | change)}\nno json\n")
    with pytest.raises(RunnerError, match="2 lines of") as error:
        ballots.take(store, file)
    assert "line 2: " in error.value.message and message in error.value.message
    assert not query(store, "FROM reviews").to_pylist()


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), most=st.integers(1, 9))
def test_all_reviewers_see_the_same_examples(store: Path, seed: int, most: int) -> None:
    seen = [
        {card.id for card in review(store, ["old", "new"], name, seed=seed, most=most).deck.cards}
        for name in ("a", "b", "c")
    ]
    assert seen[0] == seen[1] == seen[2] and len(seen[0]) == min(most, 5)
