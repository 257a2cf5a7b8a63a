"""Precision: bf16 only where the processor or card computes in it, fp16 where it is asked for."""

from __future__ import annotations

from functools import cache
from typing import Literal

from runner.plan.machine import known_bf16


@cache
def has_bf16(accelerator: str = "auto") -> bool:
    """Whether bf16 is computed in hardware."""
    import torch

    if accelerator != "cpu" and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return known_bf16()


def resolved(precision: str, accelerator: str = "auto") -> Literal["fp32", "bf16", "fp16"]:
    """What `auto` means on this machine."""
    if precision == "auto":
        return "bf16" if has_bf16(accelerator) else "fp32"
    return "bf16" if precision == "bf16" else "fp16" if precision == "fp16" else "fp32"


def lightning_word(precision: str, accelerator: str = "auto") -> Literal["bf16-mixed", "16-mixed", "32-true"]:
    """The same in Lightning's words."""
    words: dict[str, Literal["bf16-mixed", "16-mixed"]] = {"bf16": "bf16-mixed", "fp16": "16-mixed"}
    return words.get(resolved(precision, accelerator), "32-true")
