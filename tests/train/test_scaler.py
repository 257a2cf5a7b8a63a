"""fp16: losses are scaled, steps that overflow are left out, and the scale survives a resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from runner.train import state
from runner.train.module import Module
from tests.train.pair import Asked, alone

TRAIN: dict[str, Any] = {"precision": "fp16", "average": {"ema": 0.9}}


def saved(folder: Path) -> dict[str, Any]:
    found = state.load(folder / "state.pt")
    assert found is not None
    return found


def test_a_fit_in_fp16_ends_near_one_in_fp32(encoder: Path, tmp_path: Path) -> None:
    for name, train in (("fp16", TRAIN), ("fp32", {**TRAIN, "precision": "fp32"})):
        assert alone(Asked(encoder, tmp_path / name, {}, train)).error == ""
    scaled, plain = saved(tmp_path / "fp16"), saved(tmp_path / "fp32")
    assert scaled["scaler"]["scale"] == 65536 and plain["scaler"] == {}
    assert scaled["weights"].keys() == plain["weights"].keys()
    assert any(not torch.equal(each, plain["weights"][name]) for name, each in scaled["weights"].items())
    for name, each in scaled["weights"].items():
        torch.testing.assert_close(each, plain["weights"][name], atol=5e-3, rtol=0)


def overflow(monkeypatch: pytest.MonkeyPatch, *steps: int) -> None:
    """Make the gradients of these steps infinite, as too large a scale does."""
    real = Module.backward

    def spoiled(self: Any, loss: torch.Tensor, *given: Any, **more: Any) -> None:
        real(self, loss, *given, **more)
        if self.first_step + self.global_step in steps:
            self.network.heads["mood"].weight.grad *= float("inf")

    monkeypatch.setattr(Module, "backward", spoiled)


def test_a_step_that_overflows_is_left_out_and_a_resume_goes_on_with_the_smaller_scale(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overflow(monkeypatch, 0)
    asked = Asked(encoder, tmp_path / "whole", {"dropout": 0.3}, TRAIN)
    whole = alone(asked)
    assert alone(asked._replace(folder=tmp_path / "cut", stop_at=1)).error == "interrupted; the state is saved"
    cut = saved(tmp_path / "cut")
    assert cut["scaler"]["scale"] == 32768 and not cut["optimizer"]["state"], "no step was taken"
    assert alone(asked._replace(folder=tmp_path / "cut")).error == whole.error == ""
    expected, found = saved(tmp_path / "whole"), saved(tmp_path / "cut")
    assert found["scaler"] == expected["scaler"] and found["scaler"]["scale"] == 32768
    assert all(torch.equal(found["weights"][name], each) for name, each in expected["weights"].items())


def test_gradients_that_no_scale_mends_are_an_error(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overflow(monkeypatch, *range(99))
    found = alone(Asked(encoder, tmp_path, {}, {**TRAIN, "epochs": 20, "batch_size": 2, "accumulate": 1}))
    assert "is not a number at step 17" in found.error


def test_the_scale_is_no_part_of_clipping(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    real = torch.nn.utils.clip_grad_norm_

    def heard(parameters: Any, limit: float) -> torch.Tensor:
        norms.append(float(found := real(parameters, limit)))
        return found

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", heard)
    for precision in ("fp16", "fp32"):
        alone(Asked(encoder, tmp_path / precision, {}, {**TRAIN, "precision": precision, "max_steps": 1}))
    assert norms[0] == pytest.approx(norms[1], rel=0.01)
