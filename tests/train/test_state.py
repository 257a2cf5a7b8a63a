"""Saved states: the bytes that were saved or nothing, and the older state where a save fails."""

from __future__ import annotations

import errno
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.train import state

laws = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)


def content(number: int = 1) -> dict[str, Any]:
    moments = {0: {"step": torch.tensor(3.0), "exp_avg": torch.full((2, 3), number / 7)}}
    return {
        "weights": {"w": torch.arange(6.0).view(2, 3) * number, "h": torch.ones(4, dtype=torch.bfloat16)},
        "optimizer": {"state": moments, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0]}]},
        "epoch": number,
        "best": -float("inf"),
        "stopped": False,
    }


def equal(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return type(first) is type(second) and first == second


def stored(file: Path) -> Path:
    """The file that holds the bytes of a saved state."""
    return file.parent / json.loads(file.with_suffix(".json").read_bytes())["file"]


def test_a_state_comes_back_as_it_was_saved(tmp_path):
    file = tmp_path / "deep" / "state.pt"
    state.save(file, content())
    assert equal(state.load(file), content())
    assert not equal(state.load(file), content(2))


def test_where_nothing_was_saved_nothing_is_loaded(tmp_path):
    assert state.load(tmp_path / "state.pt") is None


def test_a_newer_state_takes_the_place_of_the_older(tmp_path):
    file = tmp_path / "state.pt"
    for number in (1, 2, 2, 3):
        state.save(file, content(number))
    assert equal(state.load(file), content(3))
    assert sorted(each.suffix for each in tmp_path.iterdir()) == [".json", ".pt"]


def test_two_states_in_one_run_do_not_touch_each_other(tmp_path):
    first, second = tmp_path / "state.pt", tmp_path / "best" / "best.pt"
    state.save(first, content(1))
    state.save(second, content(2))
    state.save(first, content(3))
    assert equal(state.load(first), content(3)) and equal(state.load(second), content(2))


@given(st.floats(0, 1, exclude_max=True))
@laws
def test_a_torn_file_is_not_loaded(tmp_path, share):
    file = tmp_path / "state.pt"
    state.save(file, content())
    whole = stored(file).read_bytes()
    stored(file).write_bytes(whole[: int(share * len(whole))])
    assert state.load(file) is None


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
@laws
def test_a_flipped_bit_is_not_loaded(tmp_path, place, bit):
    file = tmp_path / "state.pt"
    state.save(file, content())
    flipped = bytearray(stored(file).read_bytes())
    flipped[int(place * len(flipped))] ^= 1 << bit
    stored(file).write_bytes(flipped)
    assert state.load(file) is None


def test_a_lost_file_is_not_loaded(tmp_path):
    file = tmp_path / "state.pt"
    state.save(file, content())
    stored(file).unlink()
    assert state.load(file) is None


@pytest.mark.parametrize("left", [0, 10])
def test_a_torn_pointer_is_as_no_state(tmp_path, left):
    file = tmp_path / "state.pt"
    state.save(file, content())
    pointer = file.with_suffix(".json")
    pointer.write_bytes(pointer.read_bytes()[:left])
    assert state.load(file) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_an_error_with_a_hint_and_the_older_state_stays(tmp_path):
    file = tmp_path / "state.pt"
    state.save(file, content(1))
    (tmp_path / "state.part").symlink_to("/dev/full")
    with pytest.raises(RunnerError, match="No space left on device") as error:
        state.save(file, content(2))
    assert str(file) in error.value.message and "resume" in error.value.hint
    assert equal(state.load(file), content(1))
    assert not (tmp_path / "state.part").is_symlink()
    state.save(file, content(3))
    assert equal(state.load(file), content(3))


@pytest.mark.parametrize("name", ["fsync", "pointer"])
def test_a_save_that_fails_late_leaves_the_older_state(tmp_path, monkeypatch, name):
    file = tmp_path / "state.pt"
    state.save(file, content(1))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(*{"fsync": (state.os, "fsync"), "pointer": (state, "replace_text")}[name], full)
        with pytest.raises(RunnerError, match="No space left on device"):
            state.save(file, content(2))
    assert equal(state.load(file), content(1))
    state.save(file, content(3))
    assert equal(state.load(file), content(3))
    assert sorted(each.suffix for each in tmp_path.iterdir()) == [".json", ".pt"]


class Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_a_state_that_would_run_code_is_refused(tmp_path):
    file, mark = tmp_path / "state.pt", tmp_path / "sprung"
    state.save(file, {"weights": Trap(mark)})
    with pytest.raises(pickle.UnpicklingError):
        state.load(file)
    assert not mark.exists()
