"""Elsewhere: another folder of results, on this machine or wherever fsspec knows the way, and what its runs keep."""

from __future__ import annotations

from dataclasses import dataclass
from glob import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from runner.errors import RunnerError
from runner.store.log import NAME

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PASSING = ("leave", "job.json")  # about the process that works on a run there
LISTED = 5  # names that a message tells


@dataclass(frozen=True)
class Elsewhere:
    """A folder as somebody named it (`place`): its file system, and its path there."""

    place: str
    system: AbstractFileSystem
    folder: str

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "file" in self.system.protocol

    def runs(self) -> list[str]:
        """The runs that have a log, in the order of their names."""
        logs = self.system.glob(f"{escape(self.folder)}/runs/*/{NAME}")
        return sorted(name for log in logs if safe(name := PurePosixPath(log).parent.name))

    def holds_runs(self) -> bool:
        """Whether it is a folder of results; an export has a table `runs`, cut by experiment."""
        tables = [f"{escape(self.folder)}/runs/{part}" for part in ("experiment=*", "none.parquet")]
        return self.has("runs") and not any(self.system.glob(table) for table in tables)

    def log(self, run: str) -> BinaryIO:
        """The log of a run, to read."""
        return cast(BinaryIO, self.system.open(f"{self.folder}/runs/{run}/{NAME}", "rb"))

    def files(self, run: str, *, models: bool) -> dict[str, str]:
        """What else a run keeps: path in the run's folder -> path in the file system; folders in it are `models`."""
        folder = f"{self.folder}/runs/{run}"
        found = self.system.find(folder, maxdepth=None if models else 1)
        inside = {path.removeprefix(f"{folder}/"): path for path in found}
        return {name: path for name, path in inside.items() if kept(name)}

    def has(self, name: str) -> bool:
        """Whether there is something of this name in the folder."""
        return bool(self.system.exists(f"{self.folder}/{name}"))

    def empty(self) -> bool:
        """Whether it is a folder with nothing in it."""
        return bool(self.system.isdir(self.folder)) and not self.system.ls(self.folder, detail=False)

    def listed(self) -> str:
        """A few names of what is there, for messages."""
        if not self.system.isdir(self.folder):
            return "there is no such folder"
        names = sorted(PurePosixPath(path).name for path in self.system.ls(self.folder, detail=False))
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        return "it has " + (", ".join(f"`{name}`" for name in names[:LISTED]) + more if names else "nothing in it")


def elsewhere(place: str) -> Elsewhere:
    """The folder of a path or URL; RunnerError where no installed package knows such URLs."""
    import fsspec

    try:
        system, folder = fsspec.core.url_to_fs(place)
    except ImportError as error:
        raise RunnerError(f"`{place}` needs another package: {error}", "install it, then ask again") from error
    except ValueError as error:
        raise RunnerError(f"`{place}` is no place that can be read: {error}", "name a folder, or a URL") from error
    return Elsewhere(place, system, folder.rstrip("/"))


def safe(name: str) -> bool:
    """Whether a name is that of something in a folder, and of nothing outside it or hidden in it."""
    return bool(name) and not name.startswith(".") and not set(name) & {"/", "\\", "\0"}


def kept(name: str) -> bool:
    """Whether a file of a run is part of what the run left: not its log, nothing hidden, nothing of its process."""
    hidden = any(part.startswith(".") or "\\" in part for part in name.split("/"))
    return name not in (NAME, *PASSING) and not hidden and not name.endswith(".part")
