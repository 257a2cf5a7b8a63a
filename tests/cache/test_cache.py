"""The cache: built once, whole or absent, and able to say why; see test_interrupted for kills and other processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runner.cache.cache import fingerprint
from runner.errors import RunnerError


def note(text: str):
    """A build that writes one file."""

    def build(entry: Path) -> dict:
        (entry / "note.txt").write_text(text)
        return {"rows": 1}

    return build


def test_fingerprint_is_the_hash_of_canonical_json():
    assert fingerprint({"b": 1, "a": "é"}) == fingerprint({"a": "é", "b": 1})
    assert fingerprint({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert fingerprint(1) != fingerprint("1")
    with pytest.raises(ValueError, match="JSON compliant"):
        fingerprint(float("nan"))


def test_built_once_with_a_manifest(cache):
    assert cache.find("read", "k") is None
    entry = cache.make("read", "k", note("one"), {"file": "a.csv"})
    assert cache.make("read", "k", note("two"), {"file": "a.csv"}) == entry == cache.find("read", "k")
    assert (entry / "note.txt").read_text() == "one"
    manifest = json.loads((entry / "manifest.json").read_text())
    assert manifest.pop("created") and manifest.pop("seconds") >= 0
    assert manifest == {
        "stage": "read",
        "key": "k",
        "inputs": {"file": "a.csv"},
        "why": "miss: nothing of stage `read` is cached",
        "rows": 1,
        "files": {
            "note.txt": {"size": 3, "sha256": "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"}
        },
    }


@pytest.mark.parametrize("damage", ["truncate", "remove", "manifest"])
def test_a_damaged_entry_is_rebuilt(cache, damage):
    entry = cache.make("read", "k", note("whole"), {})
    if damage == "truncate":
        os.truncate(entry / "note.txt", 2)
    else:
        (entry / {"remove": "note.txt", "manifest": "manifest.json"}[damage]).unlink()
    assert cache.find("read", "k") is None
    assert cache.explain("read", "k", {}).startswith("miss")
    assert (cache.make("read", "k", note("again"), {}) / "note.txt").read_text() == "again"


def test_explain_names_the_inputs_that_differ(cache):
    before = {"max_length": 128, "data": {"train": "a" * 64}, "inputs": ["text"]}
    cache.make("encode", "far", note(""), {"max_length": 1, "data": {"train": "b" * 64}, "inputs": ["x"]})
    cache.make("encode", "near", note(""), before)
    assert cache.explain("encode", "near", before).startswith("hit: built 20")
    assert cache.explain("encode", "new", {**before, "max_length": 64}) == "miss: `max_length` was 128, now 64"
    assert cache.explain("encode", "new", {**before, "inputs": ("text",), "pad": None}) == "miss: `pad` is new: null"
    changed = {"data": {"train": "c" * 64}, "inputs": ["text"], "max_length": 128}
    assert cache.explain("encode", "new", changed) == "miss: the contents of `data.train` differ"
    assert cache.explain("encode", "new", before) == "miss: made by another version of the code"
    assert cache.explain("split", "new", before) == "miss: nothing of stage `split` is cached"


def test_the_nearest_entry_is_of_the_same_file(cache):
    old, new, other = "a" * 64, "b" * 64, "c" * 64
    known = {"name": "train.csv", "file": old, "clean": [{"type": "lowercase"}], "id": None}
    cache.make("clean", "own", note(""), known)
    cache.make("clean", "other", note(""), {"name": "test.csv", "file": other, "clean": [], "id": None})
    edited = {"name": "train.csv", "file": new, "clean": [], "id": None}
    assert cache.explain("clean", "k", edited) == "miss: the rows that go in differ, `lowercase` is gone"
    renamed = {**known, "name": "learn.csv", "id": "id"}
    assert cache.explain("clean", "k", renamed) == 'miss: `id` was null, now "id"'
    foreign = {**edited, "name": "mails.csv"}
    assert cache.explain("clean", "k", foreign) == "miss: nothing of `mails.csv` is cached in stage `clean`"


def test_of_entries_of_one_file_the_nearest_has_the_fewest_changes(cache):
    for key, threshold, id in (("near", 0.8, "id"), ("far", 0.8, None)):
        clean = [{"type": "near_duplicates", "threshold": threshold}]
        cache.make("clean", key, note(""), {"name": "a.csv", "file": "a" * 64, "clean": clean, "id": id})
    asked = {"name": "a.csv", "file": "a" * 64, "clean": [{"type": "near_duplicates", "threshold": 0.7}], "id": "id"}
    assert cache.explain("clean", "k", asked) == "miss: `near_duplicates.threshold` was 0.8, now 0.7"


def test_a_failed_build_leaves_nothing(cache):
    def build(entry: Path) -> dict:
        (entry / "half").write_text("half")
        raise RunnerError("broken")

    with pytest.raises(RunnerError, match="broken"):
        cache.make("read", "k", build, {})
    assert [path.name for path in (cache.folder / "read").iterdir()] == [".locks"]


def test_a_full_disk_is_told(cache):
    def build(entry: Path) -> dict:
        raise OSError(28, "No space left on device")

    with pytest.raises(RunnerError, match="no space left for the cache"):
        cache.make("read", "k", build, {})
