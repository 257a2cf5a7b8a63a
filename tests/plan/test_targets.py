"""Targets of all kinds, looked at before any training: each fault with its file, row and place in the spec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.errors import Diagnostic, SpecError
from runner.plan.check import Checked, checker
from runner.plan.compile import task_read
from runner.plan.estimate import parameters
from runner.spec.read import read

SPEC = """
name = "targets"
[model]
base = "./encoder"
max_length = 16
[data.films]
train = "train.jsonl"
validation = "train.jsonl"
leakage = "warn"
{data}
[tasks.mine]
type = "{kind}"
data = ["films"]
{task}
"""
TEXTS = ["the film was good", "a sad day it is", "we saw a nice book", "today it was poor"]

COLUMNS = {"multilabel": "labels", "regression": "score", "token_classification": "tags", "ordinal": "label"}


@pytest.fixture
def look(tmp_path: Path, encoder: Path) -> Any:
    """Check a spec with one task over texts with these targets."""
    (tmp_path / "encoder").symlink_to(encoder)

    def look(kind: str, targets: list[Any], task: str = "", data: str = "") -> Checked:
        column = COLUMNS[kind]
        lines = [json.dumps({"text": text, column: target}) for text, target in zip(TEXTS, targets, strict=False)]
        (tmp_path / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (tmp_path / "spec.toml").write_text(SPEC.format(kind=kind, task=task, data=data), encoding="utf-8")
        return checker(tmp_path / "cache").check(read(tmp_path / "spec.toml"))

    return look


def errors(call: Any, *words: Any) -> list[Diagnostic]:
    with pytest.raises(SpecError) as caught:
        call(*words)
    return [each for each in caught.value.diagnostics if each.severity == "error"]


def test_labels_of_lists_are_counted_one_by_one(look):
    found = look("multilabel", [["a", "b"], ["b"], [], ["c", "b"]])
    assert found.labels["mine"] == ("a", "b", "c")
    assert found.counts["mine"]["train"] == {"a": 1, "b": 3, "c": 1}


def test_numbers_have_a_mean_and_a_deviation(look):
    assert look("regression", [1, 2.0, 3, 2]).labels["mine"] == ("mean=2.0", f"sd={0.5**0.5!r}")


def test_numbers_out_of_bounds_are_told_with_their_lines(look):
    found = errors(look, "regression", [1, 9, "two", 2], 'target = "score"\nbounds = [0, 5]')
    assert [each.code for each in found] == ["target", "target"]  # the file is train and validation
    told = "`train.jsonl`: line 2: 9 lies outside of 0 to 5; line 3: `two` is no number"
    assert {each.message for each in found} == {told}
    assert {each.line for each in found} == {14}


def test_only_the_first_wrong_rows_are_listed(look, monkeypatch):
    monkeypatch.setattr("runner.data.survey.TOLD", 2)
    (found, _) = errors(look, "regression", ["a", "b", "c", "d"])
    assert found.message == "`train.jsonl`: line 1: `a` is no number; line 2: `b` is no number; and 2 more"


def test_spans_outside_of_the_text_are_refused(look):
    spans = [[{"start": 4, "end": 8, "label": "A"}], [{"start": 0, "end": 99, "label": "A"}], [], []]
    (found, _) = errors(look, "token_classification", spans)
    assert "line 2: span 0 to 99 lies outside of the text, which has 15 characters" in found.message


def test_tags_that_train_lacks_are_told(look):
    found = look("token_classification", [["B-A", "O", "O", "O"], ["O"] * 5, ["O"] * 5, ["O"] * 4])
    assert found.labels["mine"] == ("O", "B-A", "I-A")


def test_labels_in_order_must_be_numbers_or_listed(look):
    (found,) = errors(look, "ordinal", ["low", "high", "low", "mid"])
    assert "is no number: nobody knows the order" in found.message
    assert look("ordinal", ["10", "9", "10", "2"]).labels["mine"] == ("2", "9", "10")
    listed = 'labels = ["low", "mid", "high"]'
    assert look("ordinal", ["low", "high", "low", "mid"], listed).labels["mine"] == ("low", "mid", "high")


def test_what_changes_words_does_not_go_with_places(look):
    spans: list[Any] = [[{"start": 4, "end": 8, "label": "A"}], [], [], []]
    data = 'clean = [{ type = "length", min = 1 }, { type = "lowercase" }]\naugment = [{ type = "swap_words" }]'
    found = errors(look, "token_classification", spans, "", data)
    assert {each.path: each.message for each in found} == {
        ("data", "films", "clean", 1): "`lowercase` changes texts, and the targets of `mine` name places in them",
        ("data", "films", "augment", 0): "`swap_words` does not fit the token_classification task `mine`: its targets "
        "name places in the text, and words move",
    }


@pytest.mark.parametrize("augmentation,fits", [("swap_words", True), ("combine_sentences", False), ("mixup", False)])
def test_several_labels_stay_true_where_the_text_is_only_varied(look, augmentation, fits):
    data = f'augment = [{{ type = "{augmentation}" }}]'
    call = (look, "multilabel", [["a"], ["b"], ["a"], []], "", data)
    if fits:
        assert call[0](*call[1:]).labels["mine"] == ("a", "b")
    else:
        assert [each.code for each in errors(*call)] == ["augment"]


def test_a_metric_of_another_kind_of_answers_is_refused(look):
    (found,) = errors(look, "regression", [1, 2, 3, 4], 'metrics = ["accuracy"]')
    assert found.message == "`accuracy` does not fit a regression task"
    assert "`pearson`" in found.hint and "`macro_f1`" not in found.hint


def test_lists_are_no_target_of_single_labels(look):
    found = errors(look, "ordinal", [["a"], ["b"], [], []])
    assert {each.message for each in found} == {"`train.jsonl`: column `label` holds lists"}


def test_numbers_are_no_classes_to_balance_but_may_be_sampled(look):
    (found,) = errors(look, "regression", [1, 2, 3, 4], "", 'balance = "oversample"')
    assert found.message == "no task over these rows has single labels: there are no classes to balance"
    assert look("regression", [1, 2, 3, 4], "", "sample = 2").loaded["films"].rows["train"] == 2


def test_weights_of_classes_need_a_loss_that_has_some(look):
    (found,) = errors(look, "ordinal", [1, 2, 3, 2], "", 'balance = "class_weights"')
    assert found.message == "the loss of `mine`, a task of the kind ordinal, has no weights of classes"


def test_one_number_in_validation_is_warned_of(look, tmp_path):
    found = look("regression", [2, 2, 2, 1], "", "")
    assert not found.warnings or all("number" not in each.message for each in found.warnings)
    (tmp_path / "one.jsonl").write_text('{"text": "we saw it", "score": 1}\n', encoding="utf-8")
    spec = (tmp_path / "spec.toml").read_text(encoding="utf-8")
    (tmp_path / "spec.toml").write_text(spec.replace('validation = "train', 'validation = "one'), encoding="utf-8")
    found = checker(tmp_path / "cache").check(read(tmp_path / "spec.toml"))
    assert [each.message for each in found.warnings] == [
        "`mine` has but one number in validation: correlations and R2 are unknown there"
    ]


def test_large_numbers_that_differ_little_are_told_apart(look):
    mean, deviation = (
        float(each.partition("=")[2]) for each in look("regression", [10**6 + n for n in range(4)]).labels["mine"]
    )
    assert (mean, deviation) == pytest.approx((10**6 + 1.5, 1.25**0.5))


@pytest.mark.parametrize("crf,more", [("false", 0), ("true", 9 + 6)])
def test_scores_of_tags_in_their_order_are_counted_as_they_are_built(look, crf, more):
    from runner.model.network import build

    found = look("token_classification", [["B-A", "O", "O", "O"], ["O"] * 5, ["O"] * 5, ["O"] * 4], f"crf = {crf}")
    spec, tags = found.spec.experiment, len(found.labels["mine"])
    network = build(found.base, spec.model, spec.tasks, found.labels, seed=1, packing=True)
    count = parameters(found)
    assert count.total == sum(each.numel() for each in network.parameters())
    assert count.trainable == sum(each.numel() for each in network.trainable().values())
    assert sum(each.numel() for each in network.heads.parameters()) == (found.base.hidden + 1) * tags + more
    assert ("crf" in task_read(spec.tasks["mine"])) == (crf == "true")
