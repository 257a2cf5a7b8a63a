"""Heads over several data sets, and heads that a split has nothing for: labels are checked at the line of the task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.plan.test_check import faults, look, only, text_at

SPEC = """
name = "shared"

[model]
base = "./encoder"
max_length = 12

[data.films]
train = "films.jsonl"
validation = "valid.jsonl"
test = "test.jsonl"

[data.books]
train = "books.jsonl"
validation = "valid.jsonl"
test = "other.jsonl"

[tasks.head]
data = ["films", "books"]
target = "target"
"""
Values = Sequence[Any]


def spec(folder: Path, encoder: Path, kind: str, files: dict[str, Values], more: str = "") -> Path:
    """A task over two data sets; `files[name]` are the targets of a file of theirs."""
    (folder / "encoder").symlink_to(encoder)
    for number, (name, values) in enumerate(files.items()):
        rows = [{"text": f"we saw n{number}x{index} film", "target": value} for index, value in enumerate(values)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file = folder / "shared.toml"
    file.write_text(f'{SPEC}type = "{kind}"\n{more}', encoding="utf-8")
    return file


def tags(*types: str) -> list[dict[str, Any]]:
    """Spans on the first words of a text."""
    places = [(0, 2), (3, 6)]
    return [{"start": start, "end": end, "label": type} for type, (start, end) in zip(types, places, strict=False)]


# By kind of task: targets of two data sets that differ, what the head then has, and a target that only test has.
KINDS: dict[str, tuple[Values, Values, tuple[str, ...], Any, str]] = {
    "classification": (["a", "b"], ["b", "c"], ("a", "b", "c"), "d", "test has labels that train lacks: `d` (1 rows)"),
    "multilabel": ([["a"], ["b", "a"]], [["c"], ["b"]], ("a", "b", "c"), ["d"], "test has labels that train lacks: `d` (1 rows)"),
    "token_classification": (
        [tags("A"), tags("B")], [tags("B"), tags("C", "B")], ("O", "B-A", "I-A", "B-B", "I-B", "B-C", "I-C"),
        tags("D"), "test has tags that train lacks: `B-D` (1 words)",
    ),
    "regression": ([1, 3], [5, 7], ("mean=4.0", "sd=2.23606797749979"), "many", "`other.jsonl`: line 3: `many` is no number"),
}  # fmt: skip
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_a_shared_head_has_the_labels_of_all_its_data_sets(tmp_path: Path, encoder: Path, kind: str) -> None:
    one, two, outputs, _, _ = KINDS[kind]
    found = look(
        spec(
            tmp_path,
            encoder,
            kind,
            {"films": one, "books": two, "valid": [*one, *two], "test": [*one, *two], "other": [*two, *one]},
        )
    )
    assert found.labels["head"] == outputs
    train = found.counts["head"]["train"]
    assert sum(train.values()) == {"multilabel": 5, "token_classification": 16}.get(kind, 4)
    assert found.warnings == ()


@every_kind
def test_a_label_of_one_data_set_that_no_train_has_is_refused(tmp_path: Path, encoder: Path, kind: str) -> None:
    one, two, _, strange, message = KINDS[kind]
    file = spec(
        tmp_path,
        encoder,
        kind,
        {"films": one, "books": two, "valid": [*one, *two], "test": [*one, *two], "other": [*two, strange, *one]},
    )
    fault = only(file)
    assert fault.message == message
    assert (text_at(file, fault), fault.path) == ("target", ("tasks", "head", "target"))


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("classification", 'labels = ["a", "b"]', "train has labels that `labels` lacks: `c` (1 rows)"),
        ("multilabel", 'labels = ["a", "b"]', "train has labels that `labels` lacks: `c` (1 rows)"),
        ("token_classification", 'labels = ["O", "B-A", "I-A", "B-B", "I-B"]', "train has tags that `labels` lacks: `B-C` (1 words)"),
        ("regression", "bounds = [0, 6]", "`books.jsonl`: line 2: 7 lies outside of 0 to 6"),
    ],
)  # fmt: skip
def test_what_a_task_allows_holds_for_all_its_data_sets(
    tmp_path: Path, encoder: Path, kind: str, more: str, message: str
) -> None:
    one, two, _, _, _ = KINDS[kind]
    file = spec(tmp_path, encoder, kind, {"films": one, "books": two, "valid": one, "test": one, "other": one}, more)
    assert message in [each.message for each in faults(file) if each.severity == "error"]


STRANGE = {
    "classification": (["a", "b"], ["x", "y"], "`a`, `b`", "`x`, `y`"),
    "multilabel": ([["a"], ["a", "b"]], [["x"], []], "`a`, `b`", "`x`"),
    "token_classification": ([tags("A"), tags()], [tags("X"), tags("X")], "`B-A`", "`B-X`"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_data_sets_without_a_common_label_are_told(tmp_path: Path, encoder: Path, kind: str) -> None:
    one, two, mine, others = STRANGE[kind]
    file = spec(
        tmp_path,
        encoder,
        kind,
        {"films": one, "books": two, "valid": [*one, *two], "test": [*one, *two], "other": [*one, *two]},
    )
    first, second = look(file).warnings
    assert first.message == f"`films` shares the head `head` with other data sets, but no label: {mine}"
    assert first.hint.startswith(f"the others have {others};")
    assert (text_at(file, first), text_at(file, second)) == ('"films"', '"books"')


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("kind", ["multilabel", "token_classification"])
def test_a_head_without_any_label_in_a_split_is_refused(tmp_path: Path, encoder: Path, kind: str, split: str) -> None:
    """The rows are there, their lists are empty."""
    one, two, _, _, _ = KINDS[kind]
    files = {"films": one, "books": two, "valid": [*one, *two], "test": [*one, *two], "other": one}
    files |= {"valid": [[], []]} if split == "validation" else {"test": [[], []], "other": [[]]}
    file = spec(tmp_path, encoder, kind, files)
    fault = only(file)
    assert fault.message == f"no row of {split} has a label of `head`: it can't be judged there"
    assert text_at(file, fault) == "target"


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_without_any_target_in_a_split_is_refused(tmp_path: Path, encoder: Path, kind: str) -> None:
    """The column is there, its values are missing."""
    one, two, _, _, _ = KINDS[kind]
    files = {"films": one, "books": two, "valid": [None, None], "test": one, "other": one}
    file = spec(tmp_path, encoder, kind, files)
    found = [each for each in faults(file) if each.severity == "error"]
    assert {text_at(file, each) for each in found} == {'"valid.jsonl"'}
    assert all("2 rows with an empty text or label" in each.message for each in found)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_split_is_refused(tmp_path: Path, encoder: Path, kind: str) -> None:
    one, two, _, _, _ = KINDS[kind]
    file = spec(tmp_path, encoder, kind, {"films": one, "books": two, "valid": one, "test": [], "other": one})
    fault = only(file)
    assert (fault.message, text_at(file, fault)) == ("`test.jsonl` is empty", '"test.jsonl"')
