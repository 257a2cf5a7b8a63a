"""Processes, GPUs and arithmetic: what can't go together or isn't there is told at its place, before any training."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from runner.plan import devices, machine
from tests.conftest import TINY
from tests.plan.test_check import faults, look, only, text_at
from tests.plan.test_compile import key, planned

LORA = 'adapter = { type = "lora", targets = ["query"] }'
EACH = LORA.replace(" }", ", per_task = true }")
TWO = 'accumulate = 2\ndevices = 2\nstrategy = "{}"'
DDP, FSDP = TWO.format("ddp"), TWO.format("fsdp")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU but with a compiler, whatever it has."""
    monkeypatch.setattr(machine, "gpus", lambda: 0)
    monkeypatch.setattr(machine, "compiler", lambda: "/usr/bin/g++")


def text(model: str = "", train: str = "", execute: str = "") -> str:
    """The tiny spec with more lines in its tables; a key written again takes the place of the one that is there."""
    found = TINY
    for line in train.splitlines():
        name = line.split(" = ")[0]
        found = "\n".join(each for each in found.splitlines() if not each.startswith(f"{name} ="))
    found = found.replace("[train]", f"[train]\n{train}").replace("[execute]", f"[execute]\n{execute}")
    return found.replace("[model]", f"[model]\n{model}")


@pytest.mark.parametrize(
    ("model", "train", "message", "place", "hint"),
    [
        ("", "devices = 2\naccumulate = 2", "2 processes need a `strategy`", "2", '`strategy = "ddp"`'),
        ("", 'strategy = "ddp"', "`devices` is 1", '"ddp"', "`devices = 2`"),
        ("", 'strategy = "ddp"\ndevices = 2', "an optimizer step has 1 batch, which 2 processes", "2", "`accumulate = 2`"),
        ("", 'strategy = "fsdp"\ndevices = 2\naccumulate = 3', "has 3 batches, which 2 processes", "3", "a multiple"),
        ("", f'{FSDP}\nloss_balance = "pcgrad"', "`pcgrad` projects whole gradients", '"pcgrad"', '"ddp"'),
        ("", f"{FSDP}\ncompile = true", "`compile` reads the weights of whole layers", "true", '"ddp"'),
        ("freeze = { layers = 1, thaw = 2 }", FSDP, "`thaw` lets weights learn", "2", '"ddp"'),
        (EACH, FSDP, "with an adapter for each task", "true", '"ddp"'),
        ("", 'precision = "fp16"', "`fp16` needs a GPU of Nvidia, and none is found here", '"fp16"', '"bf16"'),
        ("", "compile = true\ngradient_checkpointing = true", "both decide which activations are kept", "true", "leave"),
        (f"quantise = 4\n{LORA}", "", "weights of 4 bits need a GPU of Nvidia, and none is found here", "4", "leave"),
    ],
)  # fmt: skip
def test_what_does_not_go_is_told_at_its_place(
    tiny: Path, model: str, train: str, message: str, place: str, hint: str
) -> None:
    tiny.write_text(text(model, train), encoding="utf-8")
    fault = only(tiny)
    assert message in fault.message and hint in fault.hint
    assert text_at(tiny, fault) == place


def test_a_prefix_is_not_computed_again(tiny: Path, writers: Path) -> None:
    (tiny.parent / "causal").symlink_to(writers / "causal")
    written = text('adapter = { type = "prefix_tuning", tokens = 4 }', "gradient_checkpointing = true")
    tiny.write_text(written.replace("./encoder", "./causal"), encoding="utf-8")
    fault = only(tiny)
    assert "which a layer that is computed again would lack" in fault.message and text_at(tiny, fault) == "true"


def test_all_faults_of_a_quantised_base_are_told_at_once(tiny: Path) -> None:
    tiny.write_text(text("quantise = 8", FSDP), encoding="utf-8")
    found = {each.message for each in faults(tiny)}
    assert found == {
        "`fsdp` shares out weights of 32 bits, not of 8",
        "weights of 8 bits can't be trained themselves",
        "weights of 8 bits need a GPU of Nvidia, and none is found here",
    }


def test_without_a_compiler_nothing_is_compiled(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "compiler", lambda: None)
    tiny.write_text(text(train="compile = true"), encoding="utf-8")
    fault = only(tiny)
    assert "neither g++ nor clang++" in fault.message and "CXX" in fault.hint


def test_a_machine_with_a_gpu_trains_what_needs_one(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: 1)
    monkeypatch.setattr(devices, "installed", lambda package: "0.50" if package == "bitsandbytes" else None)
    fine = text(f"quantise = 4\n{LORA}", 'precision = "fp16"')
    tiny.write_text(fine, encoding="utf-8")
    assert look(tiny).warnings == ()
    tiny.write_text(text(train=DDP), encoding="utf-8")
    assert "this machine shows 1 GPUs" in only(tiny).message
    tiny.write_text(text(train='precision = "fp16"', execute='accelerator = "cpu"'), encoding="utf-8")
    assert only(tiny).message == '`fp16` needs a GPU of Nvidia, and `accelerator` is "cpu"'
    tiny.write_text(text(train='precision = "fp16"\nloss_balance = "pcgrad"\naccumulate = 2'), encoding="utf-8")
    assert "takes the gradient of each task" in only(tiny).message
    monkeypatch.setattr(devices, "installed", lambda package: None)
    tiny.write_text(text(f"quantise = 8\n{LORA}"), encoding="utf-8")
    fault = only(tiny)
    assert "`bitsandbytes`, which is not installed" in fault.message and "runner[quantise]" in fault.hint


def test_how_the_work_is_done_is_no_part_of_what_a_run_is(tiny: Path) -> None:
    before = key(tiny, text(train="accumulate = 2"))
    for train in (DDP, FSDP, "accumulate = 2\ngradient_checkpointing = true"):
        assert key(tiny, text(train=train)) == before
    assert key(tiny, text(train="accumulate = 2\ncompile = false")) == before
    assert key(tiny, text(train="accumulate = 2\ncompile = true")) != before


def test_the_plan_tells_the_processes(tiny: Path) -> None:
    steps = planned(tiny, text(train=DDP)).trials[0].steps
    assert next(step for step in steps if step.name == "train").detail["processes"] == "2 by ddp"


class Driver:
    """What the library of a driver answers."""

    def __init__(self, fault: int, cards: int) -> None:
        self.fault, self.cards = fault, cards

    def cuInit(self, flags: int) -> int:
        return self.fault

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = self.cards
        return 0


@pytest.mark.parametrize(("fault", "cards", "expected"), [(0, 2, 2), (0, 0, 0), (100, 0, 0)])
def test_gpus_are_those_that_the_driver_shows(monkeypatch, fault, cards, expected):
    monkeypatch.undo()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(fault, cards))
    assert machine.gpus.__wrapped__() == expected


def test_without_a_driver_there_are_no_gpus(monkeypatch):
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.undo()
    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert machine.gpus.__wrapped__() == 0


def test_the_compiler_is_the_one_that_is_named(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert machine.compiler() is None
    for name in ("clang++", "mine"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert machine.compiler() == str(tmp_path / "clang++")
    monkeypatch.setenv("CXX", "mine")
    assert machine.compiler() == str(tmp_path / "mine")
