"""Transfer: one run comes from another folder of results, in an order in which a kill leaves no half of anything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from runner.store.elsewhere import Elsewhere
from runner.store.log import NAME
from runner.store.story import Lack, lack

DONE = "finished.json"  # comes last: a run that has it is never worked on again


def take(folder: Path, staged: Path, other: Elsewhere, *, models: bool) -> None:
    """Copy a run that is not here, and rename it into place when all of it is there.

    The log comes after the files: it may be ahead of them, which the next merge mends, but never behind.
    """
    staged.mkdir(parents=True)
    copy(other, other.files(folder.name, models=models), staged)
    with other.log(folder.name) as theirs:
        append(staged / NAME, (line for line in theirs if line.endswith(b"\n")))
    staged.rename(folder)


def catch_up(folder: Path, other: Elsewhere, *, models: bool) -> bool:
    """Copy the files of a later state, append what the log lacks; whether anything was missing here."""
    missing = compared(folder, other)
    files = {} if missing.ahead else other.files(folder.name, models=models)
    wanted = {name: path for name, path in files.items() if missing.more or not (folder / name).exists()}
    done = {name: wanted.pop(name) for name in [DONE] if name in wanted}
    copy(other, wanted, folder)
    if missing:
        with other.log(folder.name) as theirs:
            append(folder / NAME, missing.lines(theirs))
    copy(other, done, folder)
    return bool(missing or wanted or done)


def compared(folder: Path, other: Elsewhere) -> Lack:
    """What the log of a run here lacks of the log there."""
    (folder / NAME).touch()
    with (folder / NAME).open("rb") as ours, other.log(folder.name) as theirs:
        return lack(ours, theirs)


def append(log: Path, lines: Iterable[bytes]) -> None:
    """Append whole lines; a torn last line, which no reader counts, goes first."""
    with log.open("ab") as stream:
        stream.truncate(whole(log))
        stream.writelines(lines)
        stream.flush()
        os.fsync(stream.fileno())


def whole(log: Path) -> int:
    """The bytes up to the last end of a line."""
    with log.open("rb") as stream:
        return tail(stream, stream.seek(0, os.SEEK_END))


def tail(stream: BinaryIO, end: int) -> int:
    """The place after the last end of a line before `end`."""
    while end:
        begin = max(0, end - 2**16)
        stream.seek(begin)
        found = stream.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def copy(other: Elsewhere, files: dict[str, str], folder: Path) -> None:
    """Copy files into a run's folder, each written beside and renamed.

    What vanished since it was listed, such as an old state of a run that goes on there, is left for the next merge.
    """
    for name, path in sorted(files.items()):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.part")
        try:
            other.system.get_file(path, str(beside))
        except FileNotFoundError:
            continue
        beside.replace(target)
