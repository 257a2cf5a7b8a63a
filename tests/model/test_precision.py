"""Precision: what `auto` means, and how the machine is asked."""

from __future__ import annotations

import pytest
import torch

from runner.model import precision
from runner.plan import machine


@pytest.mark.parametrize(
    ("written", "hardware", "expected"),
    [
        ("auto", True, "bf16"),
        ("auto", False, "fp32"),
        ("fp32", True, "fp32"),
        ("bf16", False, "bf16"),
    ],
)
def test_auto_asks_the_machine_and_other_words_do_not(monkeypatch, written, hardware, expected):
    monkeypatch.setattr(precision, "has_bf16", lambda *_: hardware)
    assert precision.resolved(written) == expected
    assert precision.lightning_word(written) == {"bf16": "bf16-mixed", "fp32": "32-true"}[expected]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags : fpu avx2 avx512_bf16 sse", True),
        ("flags : fpu amx_bf16", True),
        ("flags : fpu avx2 avx512f", False),
        ("flags : fpu not_avx512_bf16_at_all", False),
        (None, False),
    ],
)
def test_a_processor_is_judged_by_its_flags(monkeypatch, tmp_path, flags, expected):
    file = tmp_path / "cpuinfo"
    if flags is not None:
        file.write_text(flags, encoding="utf-8")
    monkeypatch.setattr(machine, "Path", lambda _: file)
    assert machine.known_bf16.__wrapped__() is expected
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(precision, "known_bf16", lambda: expected)
    assert precision.has_bf16.__wrapped__() is expected
