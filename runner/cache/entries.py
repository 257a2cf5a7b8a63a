"""What a cache holds: its entries with their size and last use, what each was made from, and which need which."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.cache import manifest
from runner.cache.explain import flat, modified
from runner.cache.lease import leases
from runner.errors import RunnerError, nearest

LOCKS = ".locks"
OFFERED = 5  # entries in a hint
STAGES = (
    "model",
    "probe",
    "vocabulary",
    "read",
    "clean",
    "split",
    "balance",
    "augment",
    "profile",
    "encode",
    "activate",
)


@dataclass(frozen=True)
class Entry:
    """One entry; `about` is its manifest, empty where it is damaged."""

    stage: str
    key: str
    folder: Path
    about: Mapping[str, Any]
    bytes: int
    used: float

    @property
    def damaged(self) -> bool:
        """Whether a run would build it anew."""
        return not self.about

    @property
    def created(self) -> float:
        """Unix seconds of its build; of a damaged one, of its last use."""
        return datetime.fromisoformat(self.about["created"]).timestamp() if self.about else self.used

    @property
    def rows(self) -> int | None:
        """Rows in all splits; None where the manifest does not tell."""
        return manifest.rows(self.about)


class Contents:
    """All entries of a cache as they are now, in the order of the stages, the last used first."""

    def __init__(self, folder: Path) -> None:
        found = [entry_at(stage, entry) for stage in stages(folder) for entry in stage.glob("[!.]*") if entry.is_dir()]
        self.folder = folder
        self.entries = sorted(found, key=lambda each: (rank(each.stage), each.stage, -each.used, each.key))

    @cached_property
    def makers(self) -> dict[str, list[Entry]]:
        """Entries by what others name them by: their key, or the hash of one of their files."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            digests = {file["sha256"] for file in entry.about.get("files", {}).values()}
            for name in {entry.key, *digests}:
                found.setdefault(name, []).append(entry)
        return found

    def parents(self, entry: Entry) -> list[Entry]:
        """The entries that one was made from, as far as they are still there."""
        values = [value for _, value in flat(entry.about.get("inputs", {})) if isinstance(value, str)]
        found = {(each.stage, each.key): each for value in values for each in self.makers.get(value, [])}
        return [each for each in found.values() if rank(each.stage) < rank(entry.stage)]

    def children(self, entry: Entry) -> list[Entry]:
        """The entries that were made from one."""
        return [each for each in self.entries if entry in self.parents(each)]

    def files(self, entry: Entry) -> list[str]:
        """Names of the files that its rows were read from, as far as their entries are still there."""
        own = entry.about.get("inputs", {}).get("file") if entry.stage == "read" else None
        found = [own] if own else [name for parent in self.parents(entry) for name in self.files(parent)]
        return sorted(dict.fromkeys(found))

    def splits(self, entry: Entry) -> list[str]:
        """The splits that tokens, their vectors or a profile are of: rows are named by a hash or train's stage."""
        if entry.stage == "activate":
            return sorted({split for parent in self.parents(entry) for split in self.splits(parent)})
        if entry.stage not in ("profile", "encode"):
            return []
        rows = entry.about.get("inputs", {}).get("rows")
        makers = self.makers.get(rows, []) if isinstance(rows, str) else []
        files = [(name, file) for each in makers for name, file in each.about.get("files", {}).items()]
        found = {Path(name).stem for name, file in files if file["sha256"] == rows}
        return sorted(found | {"train" for each in makers if each.key == rows})

    def matching(self, wanted: str) -> Entry:
        """The entry of a STAGE/KEY, KEY or STAGE, where as much of the key is enough as tells it apart."""
        stage, _, key = wanted.rpartition("/")
        known = {each.stage for each in self.entries}
        if wanted in known:
            stage, key = wanted, ""
        found = [each for each in self.entries if each.key.startswith(key) and stage in ("", each.stage)]
        if len(found) == 1:
            return found[0]
        if found:
            raise RunnerError(f"`{wanted}` fits {len(found)} entries in `{self.folder}`", self.choice(found))
        near = nearest(stage or wanted, known)
        meant = f"did you mean the stage `{near}`? " if near and near != stage else ""
        raise RunnerError(f"no entry `{wanted}` in `{self.folder}`", f"{meant}`runner cache ls` lists the entries")

    def choice(self, found: Sequence[Entry]) -> str:
        """A hint that offers some of several entries, the last used first, by keys that tell all of them apart."""
        apart = (
            count for count in range(8, 65) if len({(each.stage, each.key[:count]) for each in found}) == len(found)
        )
        digits = next(apart, None)
        told = [f"{each.stage}/{each.key[:digits]} ({words(each, self)})" for each in found[:OFFERED]]
        more = ", ...; `runner cache ls` lists all" if len(found) > OFFERED else ""
        return f"name one: {', '.join(told)}{more}"


def stages(folder: Path) -> Iterator[Path]:
    """The folders of stages; the others hold notes."""
    yield from (place for place in sorted(folder.glob("[!.]*")) if (place / LOCKS).is_dir())


def rank(stage: str) -> int:
    """Its place on the journey; a stage that isn't known comes before the tokens."""
    return STAGES.index(stage if stage in STAGES else "encode") - (stage not in STAGES)


def entry_at(stage: Path, folder: Path) -> Entry:
    """What there is to know about one entry."""
    about = manifest.read(folder)
    whole = about is not None and manifest.whole(folder, about) and "created" in about
    return Entry(stage.name, folder.name, folder, about if about and whole else {}, size(folder), modified(folder))


def size(place: Path) -> int:
    """Bytes of a file, or of all files of a folder; 0 where it was removed meanwhile."""
    total = 0
    for each in [place, *place.rglob("*")]:
        try:
            total += each.stat().st_size if each.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def in_use(folder: Path, entries: Sequence[Entry]) -> set[Path]:
    """The folders of those entries that a living process uses."""
    held = leases(folder) if entries else None
    if held is None:
        return set()
    found = set()
    for entry in entries:
        with held.alone(entry.stage, entry.key) as free:
            if not free:
                found.add(entry.folder)
    return found


def words(entry: Entry, contents: Contents) -> str:
    """What an entry was made from, for people."""
    if entry.damaged:
        return "damaged"
    inputs = entry.about["inputs"]
    alone = inputs.get("type")  # what one part made by itself
    files = ", ".join(contents.files(entry)) or (str(alone) if alone else "rows that are no longer cached")
    parts = [f"split {split}" for split in contents.splits(entry)]
    parts += [part["type"] for name in ("clean", "augment") for part in inputs.get(name, [])]
    parts += [f"{name} {inputs[name]}" for name in ("sample", "balance") if inputs.get(name) is not None]
    parts += [f"up to {inputs['max_length']} tokens"] if "max_length" in inputs else []
    if "level" in inputs:
        after = f"token after layer {inputs['layers']}"
        parts.append(f"a vector a {after if inputs['level'] == 'layer' else inputs['level']}")
    return files + (f": {', '.join(parts)}" if parts else "")


def ago(moment: float, now: float | None = None) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int((time.time() if now is None else now) - moment))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
