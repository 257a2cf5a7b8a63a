"""Deciding: a field enters the key of a trial exactly where it is said to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.plan.deciding import decides
from runner.run.experiment import prepared


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "other"),
        ("description", "other"),
        ("execute.threads", 2),
        ("execute.keep", "best"),
        ("train.checkpoint_minutes", 1.0),
        ("train.gradient_checkpointing", True),
        ("data.films.license", "MIT"),
        ("data.films.groups", "size"),
        ("seed", 14),
        ("train.epochs", 4),
        ("train.precision", "bf16"),
        ("model.max_length", 12),
        ("model.dropout", 0.2),
        ("tasks.mood.loss_weight", 2.0),
        ("evaluate.resamples", 200),
        ("data.films.sample", 32),
    ],
)
def test_another_value_makes_another_trial_where_the_field_decides(tiny: Path, field: str, value: Any) -> None:
    keys = [prepared(tiny, tiny.parent / "results", sets=sets).entries[0].trial.key for sets in ([], [(field, value)])]
    assert (keys[0] != keys[1]) is decides(field)


@pytest.mark.parametrize(
    ("field", "does"),
    [
        ("data.films.train", False),
        ("data.films.validation", False),
        ("data.films.validation.fraction", True),
        ("model.base", False),
        ("model.base.config.hidden_size", True),
        ("execute", False),
        ("grid.train.epochs", False),
        ("seeds", False),
        ("tasks.name", True),
    ],
)
def test_paths_count_by_their_contents_and_tables_below_by_their_fields(field: str, does: bool) -> None:
    assert decides(field) is does
