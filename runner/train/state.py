"""State: everything a run needs to go on, saved beside and renamed, so that a torn file is never loaded."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from runner.errors import RunnerError


def save(file: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values durably: temp file, flush to disk, checksum, rename."""
    import torch

    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part")
    try:
        with temporary.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        digest = checksum(temporary)
        sized = file.parent / f"{digest[:16]}{file.suffix}"
        temporary.rename(sized)
        replace_text(file.with_suffix(".json"), json.dumps({"file": sized.name, "sha256": digest}))
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunnerError(
            f"could not save `{file}`: {error.strerror}", "free some space, then `runner resume`"
        ) from error
    for old in file.parent.glob(f"*{file.suffix}"):
        if old != sized and len(old.stem) == 16 and file.suffix == old.suffix:
            old.unlink(missing_ok=True)


def load(file: Path) -> dict[str, Any] | None:
    """The saved state, or None where there is none or its bytes are not those that were saved."""
    import torch

    pointer = file.with_suffix(".json")
    if not pointer.is_file():
        return None
    try:
        about = json.loads(pointer.read_bytes())
        saved, digest = file.parent / about["file"], about["sha256"]
    except (ValueError, KeyError, TypeError):
        return None
    if not saved.is_file() or checksum(saved) != digest:
        return None
    return dict(torch.load(saved, map_location="cpu", weights_only=True))


def checksum(file: Path) -> str:
    """sha256 of the file's bytes, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def replace_text(file: Path, text: str) -> None:
    """Write a small file so that a reader sees the old or the new text, never a part."""
    temporary = file.with_name(f".{file.name}.part")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
