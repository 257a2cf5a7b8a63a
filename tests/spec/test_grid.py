"""Grids: which trials they make, in which order, and every fault at the value that makes it."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError, SpecError
from runner.spec.points import applied, points, put, unravelled
from runner.spec.read import read
from runner.spec.sets import parsed

SPEC = """
name = "g"

[model]
base = "package:some-model"

[data.rows]
train = "rows.csv"

[tasks.it]
type = "classification"
data = ["rows"]

"""
RATE, RANK = ("train", "learning_rate"), ("model", "adapter", "rank")


@pytest.fixture
def spec(tmp_path: Path):
    def write(text: str, sets=()):
        file = tmp_path / "g.toml"
        file.write_text(SPEC + text, encoding="utf-8")
        return read(file, sets)

    return write


def found(spec) -> list[dict]:
    return [dict(each.point) for each in spec.variants]


def faults(spec, text: str, sets=()) -> list[tuple[int, str, str]]:
    with pytest.raises(SpecError) as error:
        spec(text, sets)
    return [(each.line - SPEC.count("\n"), each.message, each.hint) for each in error.value.diagnostics]


def test_all_values_meet_and_the_last_axis_turns_fastest(spec) -> None:
    made = spec('[grid]\n"train.learning_rate" = [1e-4, 3e-4]\nseed = [1, 2, 3]\n')
    assert found(made) == [{"train.learning_rate": r, "seed": s} for r, s in product([1e-4, 3e-4], [1, 2, 3])]
    first, *_, last = made.variants
    assert (first.experiment.train.learning_rate, first.experiment.all_seeds) == (1e-4, (1,))
    assert (last.experiment.train.learning_rate, last.experiment.all_seeds) == (3e-4, (3,))
    assert first.experiment.grid is None and made.experiment.grid is not None


def test_dots_without_quotes_are_the_same_axis(spec) -> None:
    quoted = spec('[grid]\n"train.learning_rate" = [1e-4, 3e-4]\n')
    assert found(spec("[grid]\ntrain.learning_rate = [1e-4, 3e-4]\n")) == found(quoted)
    assert found(spec("[grid.train]\nlearning_rate = [1e-4, 3e-4]\n")) == found(quoted)


def test_zip_takes_values_of_the_same_place(spec) -> None:
    text = '[grid]\ncombine = "zip"\n"train.epochs" = [1, 2]\n"train.batch_size" = [8, 16]\n'
    assert found(spec(text)) == [
        {"train.epochs": 1, "train.batch_size": 8},
        {"train.epochs": 2, "train.batch_size": 16},
    ]
    text = text.replace("[1, 2]", "[1, 2, 3]")
    assert "`train.epochs` has 3, `train.batch_size` has 2" in faults(spec, text)[0][1]


def test_a_random_grid_draws_some_without_repeats_and_the_same_each_time(spec) -> None:
    text = '[grid]\ncombine = "random"\nmax_trials = 7\n"train.epochs" = [1, 2, 3, 4]\nseed = [1, 2, 3, 4]\n'
    once = found(spec(text))
    assert once == found(spec(text)) and len({tuple(each.items()) for each in once}) == 7
    assert once != found(spec(text.replace("max_trials", "draw_seed = 1\nmax_trials")))
    assert len(found(spec(text.replace("= 7", "= 99")))) == 16
    assert faults(spec, text.replace("max_trials = 7\n", ""))[0][1].startswith('`combine = "random"` and `max_trials`')


def test_points_stand_one_by_one(spec) -> None:
    made = spec('[grid]\npoints = [{ "train.epochs" = 1 }, { "train.epochs" = 2, seed = 7 }]\n')
    assert found(made) == [{"train.epochs": 1}, {"train.epochs": 2, "seed": 7}]
    assert [each.experiment.all_seeds for each in made.variants] == [(13,), (7,)]


def test_several_grids_are_tried_one_after_the_other(spec) -> None:
    made = spec('[[grid]]\n"train.epochs" = [1, 2]\n[[grid]]\n"train.batch_size" = [8]\n')
    assert found(made) == [{"train.epochs": 1}, {"train.epochs": 2}, {"train.batch_size": 8}]


def test_trials_with_all_values_of_a_table_are_excluded(spec) -> None:
    text = '[grid]\n"train.epochs" = [1, 2]\nseed = [1, 2]\nexclude = [{ "train.epochs" = 1, seed = 2 }]\n'
    assert [tuple(each.values()) for each in found(spec(text))] == [(1, 1), (2, 1), (2, 2)]
    text = text.replace("exclude = [{", 'exclude = [{ "train.epoch" = 1 }, {')
    assert faults(spec, text)[0][1] == "no axis `train.epoch`"
    everything = '[grid]\n"train.epochs" = [1]\nexclude = [{ "train.epochs" = 1 }]\n'
    assert faults(spec, everything)[0][1] == "every trial of the grid is excluded"


def test_an_axis_may_hold_whole_tables_that_another_one_changes(spec) -> None:
    made = spec('[grid]\n"model.adapter.rank" = [4, 8]\n"model.adapter" = [{ type = "lora", alpha = 1 }]\n')
    assert [each.experiment.model.adapter.rank for each in made.variants] == [4, 8]
    assert {each.experiment.model.adapter.alpha for each in made.variants} == {1}


def test_an_entry_of_an_array_can_be_set(spec) -> None:
    text = '[data.rows.validation]\nfrom = "train"\nfraction = 0.1\n[grid]\n"tasks.it.data.0" = ["rows"]\n'
    assert [each.experiment.tasks["it"].data for each in spec(text).variants] == [["rows"]]
    assert faults(spec, text.replace("data.0", "data.4"))[0][1] == "an array of 1 has no place `4`"
    assert faults(spec, '[grid]\n"name.x" = [1]\n')[0][1] == "`name` is no axis"


def test_each_wrong_value_is_named_once_at_its_place(spec) -> None:
    text = '[grid]\n"train.learning_rate" = [1e-4, "x"]\n"train.warmup" = [0.1, 2.0]\n"trian.epochs" = [1]\nseed = [1, 2]\n'
    told = faults(spec, text)
    assert [line for line, _, _ in told] == [2, 3, 4]
    assert told[0][1].startswith("`learning_rate` is a string") and "less than 1" in told[1][1]
    assert "did you mean `train`" in told[2][2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grid]\n", "the grid has no axis"),
        ('[grid]\n"train.epochs" = 3\n', "`train.epochs` is one value, an axis has several"),
        ('[grid]\n"train.epochs" = []\n', "`train.epochs` has no value"),
        ("[grid]\nseeds = [[1, 2]]\n", "an axis takes one value a trial"),
        ('[grid]\npoints = [{ seed = 1 }]\n"train.epochs" = [1]\n', "`points` and axes exclude each other"),
        ('[grid]\n"train.epochs" = [1, 2]\nseed = ' + str(list(range(6000))), "the grid has more than 10,000 trials"),
    ],
)
def test_a_grid_that_is_none(spec, text: str, message: str) -> None:
    assert faults(spec, text)[0][1] == message


def test_fields_from_outside_go_over_the_file_and_over_axes(spec) -> None:
    made = spec('[train]\nepochs = 3\n[grid]\n"train.batch_size" = [8, 16]\n', parsed(["train.epochs=1"]))
    assert [each.experiment.train.epochs for each in made.variants] == [1, 1]
    assert spec("", parsed(["seed=5"])).experiment.seed == 5
    with pytest.raises(SpecError) as error:
        spec("", parsed(["train.epochz=1"]))
    assert (error.value.diagnostics[0].file, error.value.diagnostics[0].line) == ("--set", 0)


def test_values_from_outside_are_toml_or_words() -> None:
    words = ["a.b=1", "a.c=[1, 2]", "a.d=lora", 'a.e="1"', 'a.f={ type = "lora" }', "g=1e-4"]
    values = [1, [1, 2], "lora", "1", {"type": "lora"}, 1e-4]
    assert [value for _, value in parsed(words)] == values
    for word in ("epochs", "=3", "grid.seed=[1]"):
        with pytest.raises(RunnerError):
            parsed([word])


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
@settings(deadline=None)
def test_a_random_grid_without_limit_is_the_product(sizes, data) -> None:
    axes = {f"a.b{at}": list(range(size)) for at, size in enumerate(sizes)}
    total = len(points(axes))
    drawn = points(axes | {"combine": "random", "max_trials": total})
    assert sorted(map(repr, drawn)) == sorted(map(repr, points(axes)))
    number = data.draw(st.integers(0, total - 1))
    assert unravelled(number, sizes) == list(product(*map(range, sizes)))[number]


def test_the_original_stays_as_it_is() -> None:
    tables = {"train": {"epochs": 1, "kept": [1, {"a": 2}]}, "grid": {}, "seeds": [1]}
    made = applied(tables, [(("train", "epochs"), (), 5), (("train", "kept", "1", "a"), (), 3), (("seed",), (), 9)])
    assert made == {"train": {"epochs": 5, "kept": [1, {"a": 3}]}, "seed": 9}
    assert tables == {"train": {"epochs": 1, "kept": [1, {"a": 2}]}, "grid": {}, "seeds": [1]}
    with pytest.raises(LookupError):
        put({"a": 1}, ("a", "b"), 2)
