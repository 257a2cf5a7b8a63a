"""The machine and the program of an attempt: what a number may depend on besides the spec."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from runner.data.packages import installed

PACKAGES = (
    "torch",
    "lightning",
    "transformers",
    "peft",
    "datasets",
    "tokenizers",
    "pyarrow",
    "numpy",
    "duckdb",
    "pydantic",
    "gguf",
    "rouge-score",
    "sacrebleu",
)


def environment(folder: Path) -> dict[str, Any]:
    """Versions, processor, memory, and the git commit of the folder that holds the spec."""
    commit = git(folder, "rev-parse", "HEAD")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "packages": {name: installed(name) for name in PACKAGES},
        "git_commit": commit,
        "git_dirty": bool(git(folder, "status", "--porcelain")) if commit else None,
    }


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def git(folder: Path, *words: str) -> str | None:
    """What git says there; None where it is missing or the folder is no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
