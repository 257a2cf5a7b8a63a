"""What this machine has, found without torch: GPUs of Nvidia, and a compiler of C++."""

from __future__ import annotations

import ctypes
import os
import shutil
from functools import cache
from pathlib import Path

WORDS = {"avx512_bf16", "amx_bf16"}


@cache
def gpus() -> int:
    """How many GPUs the driver shows to this process, so many as `CUDA_VISIBLE_DEVICES` leaves; 0 without a driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


@cache
def known_bf16() -> bool:
    """Whether the processor computes in bf16; emulated it was a hundred times slower than fp32."""
    info = Path("/proc/cpuinfo")
    return info.is_file() and bool(WORDS & set(info.read_text(encoding="utf-8", errors="replace").split()))


def compiler() -> str | None:
    """The compiler that torch would call: that of `CXX`, else g++ or clang++; None where there is none."""
    named = os.environ.get("CXX")
    return next(filter(None, map(shutil.which, [named] if named else ["g++", "clang++"])), None)
