"""TensorBoard's files, read by TensorBoard itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from runner.errors import RunnerError
from runner.store.export import export
from runner.store.formats.tensorboard import FILE
from tests.store.conftest import NEW_YEAR, log_of, start
from tests.store.runs import run

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="needs the extra `tensorboard`"
)


def read(folder: Path) -> Any:
    found = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    return found.Reload()


def curves(results: Path, name: str = "demo") -> None:
    log = log_of(results, name)
    params = {"train.rate": 0.5, "name": "ü", "flag": True, "list": [1], "nothing": None}
    start(log, name="toy", spec_text='name = "ü"\n# <b>\n', params=params)
    for step, value in enumerate([1.5, float("nan"), float("inf"), 1e300, None]):
        log.write("metrics", step=step, values={"loss": value}, split="train")
    log.write("metrics", step=4, values={"mood.macro_f1": 0.25}, split="validation")
    rows = [{"task": "mood", "metric": "macro_f1", "value": 0.5}]
    for model in ("best", "majority"):
        log.write("scores", split="test", model=model, rows=rows)


def test_tensorboard_reads_curves_scores_spec_and_parameters(tmp_path: Path) -> None:
    curves(tmp_path / "results")
    found = export(tmp_path / "results", str(tmp_path / "board"), "tensorboard", [], [])
    assert (found["runs"], found["points"]) == (1, 7)
    board = read(tmp_path / "board/demo")
    tags = board.Tags()
    assert sorted(tags["scalars"]) == [
        "final/test/mood.macro_f1",
        "final/test/mood.macro_f1 of majority",
        "loss/train",
        "mood.macro_f1/validation",
    ]
    loss = board.Scalars("loss/train")
    assert [(each.step, each.wall_time) for each in loss] == [(step, NEW_YEAR) for step in range(4)]
    assert loss[0].value == 1.5 and math.isnan(loss[1].value) and loss[2].value == loss[3].value == math.inf
    assert [(each.step, each.value) for each in board.Scalars("final/test/mood.macro_f1")] == [(4, 0.5)]
    (spec,) = board.Tensors("spec")
    assert spec.tensor_proto.string_val[0].decode() == '    name = "ü"\n    # <b>\n'
    metadata = board.SummaryMetadata("_hparams_/session_start_info")
    from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data as parse

    values = parse(metadata.plugin_data.content).hparams
    assert values["train.rate"].number_value == 0.5 and values["flag"].bool_value is True
    assert (values["name"].string_value, values["list"].string_value) == ("ü", "[1]")


def test_again_adds_nothing_and_a_run_that_went_on_is_whole(tmp_path: Path) -> None:
    results, board = tmp_path / "results", tmp_path / "board"
    run(results, "one")
    curves(results)
    export(results, str(board), "tensorboard", [], [])
    before = (board / "demo" / FILE).read_bytes()
    export(results, str(board), "tensorboard", [], [])
    assert (board / "demo" / FILE).read_bytes() == before
    log_of(results).write("metrics", step=5, values={"loss": 0.125}, split="train")
    export(results, str(board), "tensorboard", [], ["demo"])
    assert [each.step for each in read(board / "demo").Scalars("loss/train")] == [0, 1, 2, 3, 5]
    assert {str(each.relative_to(board)) for each in board.rglob("*.*")} == {f"demo/{FILE}", f"one/{FILE}"}


def test_a_run_that_has_not_begun_is_there_too(tmp_path: Path) -> None:
    log_of(tmp_path, "planned", 0).write("grid", grid="g", grid_key="k", position=0, point={})
    assert export(tmp_path, str(tmp_path / "board"), "tensorboard", ["g"], [])["runs"] == 1
    assert read(tmp_path / "board/planned").Tags()["scalars"] == []


def test_a_url_is_refused(results: Path) -> None:
    with pytest.raises(RunnerError, match="go to a folder"):
        export(results, "memory://board", "tensorboard", [], [])
