"""Which cache entries living processes use: each entry is one byte of one file, and a shared lock on it means "in use".

The kernel drops the locks of a process when it ends, however it ends, so nothing has to be tidied up after a kill.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

NAME = ".leases"
LOCKLESS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # what file systems without locks answer


class Leases:
    """The locks of this process on one file. It stays open: closing it anywhere would drop all of them (POSIX)."""

    def __init__(self, file: Path) -> None:
        self.held: set[int] = set()
        try:
            self.descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            self.writable = True
        except PermissionError:
            self.descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            self.writable = False

    def take(self, stage: str, key: str) -> None:
        """Use an entry from now on until the process ends; waits while it is being removed.

        Where the file system knows no locks nothing is held, and nothing can be removed either.
        """
        byte = place(stage, key)
        if byte not in self.held:
            try:
                fcntl.lockf(self.descriptor, fcntl.LOCK_SH, 1, byte)
            except OSError as error:
                if error.errno not in LOCKLESS:
                    raise
            self.held.add(byte)

    @contextmanager
    def alone(self, stage: str, key: str) -> Iterator[bool]:
        """Whether no living process uses an entry; if so, none can begin to until the block ends."""
        byte = place(stage, key)
        if byte in self.held or not self.writable:
            yield False
            return
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN, *LOCKLESS):
                raise
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, byte)


def leases(folder: Path) -> Leases | None:
    """Those of a cache in `folder`; None where nobody may write, and so nobody removes anything."""
    file = folder / NAME
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.touch()
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS):
            return None
        raise
    about = file.stat()
    return opened(file.resolve(), about.st_dev, about.st_ino, os.getpid())


@cache
def opened(file: Path, device: int, inode: int, process: int) -> Leases:
    """One object for each file and process: a child that was forked off holds none of its parent's locks."""
    return Leases(file)


def place(stage: str, key: str) -> int:
    """The byte that stands for an entry; two that share one would only protect each other."""
    return int.from_bytes(hashlib.sha256(f"{stage}/{key}".encode()).digest()[:7], "big")
