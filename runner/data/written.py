"""What models wrote, cached chunk by chunk: stopped work goes on where it was, an edited row costs only its chunk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache, fingerprint
from runner.parts.augment._augmentation import Parent, Refused, Variants

VERSION = 1
FILE = "texts.jsonl"
CHUNK = 128  # parents, on the average
APART = ("share", "copies", "columns")  # fields that say who gets a variant, not which


def written(
    parents: Iterable[Parent], why: Mapping[str, Any], ready: Callable[[], Variants], cache: Cache
) -> Iterator[str | Refused]:
    """The variants of the parents, which come in the order of their ids; `why` is all that decides them."""
    why = {**{name: value for name, value in why.items() if name not in APART}, "version": VERSION}
    for chunk in chunks(parents):
        whole = {**why, "parents": fingerprint([[each.id, each.text] for each in chunk])}

        def build(entry: Path, chunk: list[Parent] = chunk) -> Mapping[str, Any]:
            variants = list(ready()(chunk))
            (entry / FILE).write_text("".join(map(line, variants)), encoding="utf-8")
            return {"rows": len(variants)}

        entry = cache.make("written", fingerprint({"stage": "written", **whole}), build, whole)
        with (entry / FILE).open(encoding="utf-8") as file:
            yield from map(variant, file)


def chunks(parents: Iterable[Parent]) -> Iterator[list[Parent]]:
    """Parents in a row, cut in front of every id whose hash says so: another row moves no other cut."""
    chunk: list[Parent] = []
    for parent in parents:
        if chunk and hashlib.sha256(parent.id.encode()).digest()[0] % CHUNK == 0:
            yield chunk
            chunk = []
        chunk.append(parent)
    if chunk:
        yield chunk


def line(variant: str | Refused) -> str:
    """A variant as a line of JSON."""
    fields = {"refused": variant.reason} if isinstance(variant, Refused) else {"text": variant}
    return json.dumps(fields) + "\n"


def variant(line: str) -> str | Refused:
    """What `line` wrote."""
    fields = json.loads(line)
    return Refused(fields["refused"]) if "refused" in fields else str(fields["text"])
