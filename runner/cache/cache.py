"""Prepared data on disk, addressed by the content of what it was made from: equal work is done once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from runner.cache import manifest
from runner.cache.lease import leases
from runner.errors import RunnerError

Build = Callable[[Path], Mapping[str, Any]]


def fingerprint(value: Any) -> str:
    """SHA-256 in hex of a JSON value, whatever the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Cache:
    """Entries `<folder>/<stage>/<key>/`, each whole or absent, with a manifest that says why it exists."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.built: set[tuple[str, str]] = set()  # stage and key of what this object made

    def find(self, stage: str, key: str) -> Path | None:
        """The entry, or None where it is missing or its files have not the sizes that its manifest states.

        From here on until this process ends no `runner cache gc` removes it. Its folder's time tells when it was used.
        """
        with telling(self.folder):
            held = leases(self.folder)
            if held is not None:
                held.take(stage, key)
        entry = self.folder / stage / key
        if not self.has(stage, key):
            return None
        with suppress(PermissionError):  # an entry of somebody else's, who may not see that we use it
            os.utime(entry)
        return entry

    def has(self, stage: str, key: str) -> bool:
        """Whether there is a whole entry; asking neither uses nor protects it."""
        known = self.manifest(stage, key)
        return bool(known) and manifest.whole(self.folder / stage / key, known)

    def make(self, stage: str, key: str, build: Build, why: Mapping[str, Any]) -> Path:
        """The entry, built first where it is missing; of several processes one builds and the others wait.

        `build` writes files into the folder it is given and returns facts for the manifest, such as {"rows": 3}.
        `why` holds the inputs of the stage by name, as JSON values; `explain` compares them.
        """
        found = self.find(stage, key)
        if found:
            return found
        locks = self.folder / stage / ".locks"
        with telling(self.folder):
            locks.mkdir(parents=True, exist_ok=True)
            from filelock import FileLock

            with FileLock(locks / key):
                return self.find(stage, key) or self._build(stage, key, build, why)

    def manifest(self, stage: str, key: str) -> dict[str, Any]:
        """What is known about an entry; empty where there is none."""
        return manifest.read(self.folder / stage / key) or {}

    def explain(self, stage: str, key: str, inputs: Mapping[str, Any]) -> str:
        """Why there is a hit or a miss, in words."""
        known = self.manifest(stage, key)
        if known:
            return f"hit: built {known['created']}" if self.has(stage, key) else "miss: the entry is damaged"
        from runner.cache.explain import missing  # known data need no words

        return f"miss: {missing(self.folder / stage, inputs)}"

    def _build(self, stage: str, key: str, build: Build, why: Mapping[str, Any]) -> Path:
        parent = self.folder / stage
        about = {"stage": stage, "key": key, "inputs": dict(why), "why": self.explain(stage, key, why)}
        for stale in [parent / key, *parent.glob(f".{key}.*.tmp")]:
            shutil.rmtree(stale, ignore_errors=True)
        temporary = parent / f".{key}.{os.urandom(4).hex()}.tmp"
        temporary.mkdir()
        try:
            began = time.perf_counter()
            facts = build(temporary)
            manifest.seal(temporary, {**about, **facts, "seconds": round(time.perf_counter() - began, 3)})
            temporary.rename(parent / key)
            self.built.add((stage, key))
            manifest.sync(parent)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return parent / key


@contextmanager
def telling(folder: Path) -> Iterator[None]:
    """Say what to do about a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        hint = "free some space, perhaps by `runner cache gc --max-size`; what was prepared stays"
        raise RunnerError(f"no space left for the cache in `{folder}`", hint) from error
