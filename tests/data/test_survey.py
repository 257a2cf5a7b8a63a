"""What targets count as: looked at once a table, and anew where a model has written rows since."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from runner import kinds
from runner.data.survey import survey


def task(**fields: Any) -> Any:
    return kinds.pick("tasks", "regression").model_validate({"type": "regression", "data": ["films"], **fields})


def numbers(put: Any, load_data: Any, *values: Any) -> Any:
    lines = [json.dumps({"text": f"film number {at} of many", "score": value}) for at, value in enumerate(values)]
    put("train.jsonl", "\n".join(lines) + "\n")
    put("validation.jsonl", '{"text": "quite another text", "score": 1}\n')
    data = {"train": "train.jsonl", "validation": "validation.jsonl"}
    return load_data(targets=("score",), leakage="warn", **data)


def test_each_value_is_counted_and_what_is_none_told_with_its_line(put, load_data, cache):
    loaded = numbers(put, load_data, 1, 1.0, "2", "two", 9)
    found = survey(task(bounds=[0, 5]), loaded, "train", cache)
    assert found.counts == {"1.0": 2, "2.0": 1}
    assert found.wrong == ["line 4: `two` is no number", "line 5: 9 lies outside of 0 to 5"] and found.more == 0


def test_a_table_is_looked_at_once_by_each_meaning_of_a_target(put, load_data, cache):
    loaded = numbers(put, load_data, 1, 2)
    survey(task(), loaded, "train", cache)
    before = set(cache.built)
    survey(task(metrics=["pearson"], loss_weight=2.0), loaded, "train", cache)
    assert set(cache.built) == before
    survey(task(bounds=[0, 5]), loaded, "train", cache)
    assert len(set(cache.built) - before) == 1


def test_rows_that_a_model_has_yet_to_write_are_looked_at_when_they_are_there(put, load_data, cache):
    """Until then the key of train is that of a table that is not there, and its rows are fewer."""
    loaded = numbers(put, load_data, 1, 2)
    waiting = replace(loaded, stages=[*loaded.stages[:-1], loaded.stages[-1]._replace(entry=None)])
    assert not waiting.complete
    survey(task(), waiting, "train", cache)
    before = set(cache.built)
    survey(task(), loaded, "train", cache)
    assert len(set(cache.built) - before) == 1
