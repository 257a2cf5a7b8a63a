"""One row that is no target, for each kind of task and each split: told with its line, at the line of the spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.plan.test_check import faults, look, text_at

SPEC = """
name = "bad"

[model]
base = "./encoder"
max_length = 16

[data.films]
train = "train.jsonl"
validation = "validation.jsonl"
test = "test.jsonl"

[tasks.head]
type = "{kind}"
data = ["films"]
input = {input}
target = "target"
"""
SPLITS = ("train", "validation", "test")
TEXT = "the film was good"


class Bad(NamedTuple):
    """A kind of task, further fields, good targets, a bad one, and what is said of it."""

    kind: str
    more: str
    good: list[Any]
    bad: Any
    told: str


def span(start: int, end: int, label: str = "A") -> dict[str, Any]:
    return {"start": start, "end": end, "label": label}


def answer(text: str, start: int) -> list[dict[str, Any]]:
    return [{"text": text, "answer_start": start}]


SPANS: list[Any] = [[span(0, 3)], [span(4, 8)]]
TAGS: list[Any] = [["B-A", "I-A", "O", "O", "O"], ["O", "O", "B-A", "O", "O"]]
ANSWERS: list[Any] = [answer("film", 4), answer("good", 13)]
CASES = {
    "a number out of bounds": Bad("regression", "bounds = [0, 5]", [1, 4], 5.5, "5.5 lies outside of 0 to 5"),
    "no number": Bad("regression", "", [1, 4], "much", "`much` is no number"),
    "a score out of bounds": Bad("similarity", "bounds = [0, 5]", [1, 4], -1, "-1 lies outside of 0 to 5"),
    "a span outside of the text": Bad(
        "token_classification", "", SPANS, [span(4, 99)],
        "span 4 to 99 lies outside of the text, which has 20 characters"),
    "a span that begins before the text": Bad(
        "token_classification", "", SPANS, [span(-1, 3)], "span -1 to 3 lies outside of the text"),
    "a span that ends before it begins": Bad(
        "token_classification", "", SPANS, [span(8, 4)], "span 8 to 4 lies outside of the text"),
    "spans that overlap": Bad(
        "token_classification", "", SPANS, [span(0, 8), span(4, 12, "B")],
        "span 4 to 12 (`film was`) overlaps the one before"),
    "a span within another": Bad(
        "token_classification", "crf = true", SPANS, [span(0, 12), span(4, 8)],
        "span 4 to 8 (`film`) overlaps the one before"),
    "too many tags": Bad("token_classification", "", TAGS, ["O"] * 6, "6 tags for 5 words"),
    "a broken scheme": Bad(
        "token_classification", 'broken = "error"', TAGS, ["O", "I-A", "O", "O", "O"],
        "`I-A` follows `O`: nothing to go on with"),
    "an answer that is elsewhere": Bad(
        "question_answering", "stride = 4", ANSWERS, answer("film", 5),
        "the answer `film` is not at character 5 of its context: `ilm `"),
    "an answer that is nowhere": Bad(
        "question_answering", "stride = 4", ANSWERS, answer("book", 4),
        "the answer `book` is not at character 4 of its context: `film`"),
    "no answer": Bad("question_answering", "stride = 4", ANSWERS, [], "there is no answer; write `no_answer = true`"),
    "no label": Bad("multilabel", "", [["a"], ["b"]], ["a", None], "`null` is no label: write a list of texts"),
}  # fmt: skip


def spec(folder: Path, encoder: Path, case: Bad, split: str) -> Path:
    """A spec whose third row of one split is bad."""
    (folder / "encoder").symlink_to(encoder)
    for place, name in enumerate(SPLITS):
        targets = [*case.good, *([case.bad] if name == split else [])]
        rows = [
            {"text": f"{TEXT} {place}{index}", "other": f"a sad day {place}{index}", "target": target}
            for index, target in enumerate(targets)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pair = '["other", "text"]' if case.kind in ("similarity", "question_answering") else '"text"'
    file = folder / "bad.toml"
    file.write_text(SPEC.format(kind=case.kind, input=pair) + case.more, encoding="utf-8")
    return file


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", CASES)
def test_a_row_that_is_no_target_is_told_with_its_line(tmp_path: Path, encoder: Path, name: str, split: str) -> None:
    file = spec(tmp_path, encoder, CASES[name], split)
    (found,) = [each for each in faults(file) if each.severity == "error"]
    assert found.message.startswith(f"`{split}.jsonl`: line 3: {CASES[name].told}")
    assert (text_at(file, found), found.path) == ("target", ("tasks", "head", "target"))
    assert found.hint == "mend or drop these rows"


@pytest.mark.parametrize("name", CASES)
def test_the_same_rows_without_it_are_sound(tmp_path: Path, encoder: Path, name: str) -> None:
    assert look(spec(tmp_path, encoder, CASES[name], "none")).labels["head"]


UNKNOWN = {
    "a label beyond those that are allowed": Bad(
        "classification", 'labels = ["a", "b"]', ["a", "b"], "c", "has labels that `labels` lacks: `c` (1 rows)"),
    "a step beyond the order": Bad(
        "ordinal", 'labels = ["1", "2", "3"]', [1, 2, 3], 4, "has labels that `labels` lacks: `4` (1 rows)"),
    "a tag beyond those that are allowed": Bad(
        "token_classification", 'labels = ["O", "B-A", "I-A"]', SPANS, [span(0, 3, "B")],
        "has tags that `labels` lacks: `B-B` (1 words)"),
    "one of several labels beyond those that are allowed": Bad(
        "multilabel", 'labels = ["a", "b"]', [["a"], ["b"]], ["a", "c"], "has labels that `labels` lacks: `c` (1 rows)"),
}  # fmt: skip


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", UNKNOWN)
def test_what_the_labels_do_not_allow_is_told_at_their_line(
    tmp_path: Path, encoder: Path, name: str, split: str
) -> None:
    file = spec(tmp_path, encoder, UNKNOWN[name], split)
    (found,) = [each for each in faults(file) if each.severity == "error"]
    assert found.message == f"{split} {UNKNOWN[name].told}"
    assert (text_at(file, found), found.path) == ("labels", ("tasks", "head", "labels"))
