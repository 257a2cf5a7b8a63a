"""Where files lie, and hashes that notice every edit."""

from __future__ import annotations

import hashlib
import os

import pytest

from runner.cache import stat_index
from runner.data.files import content_hash, locate
from runner.errors import RunnerError


@pytest.fixture
def counted(monkeypatch) -> list:
    """The files that are really hashed."""
    seen = []

    def hashed(path):
        seen.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(stat_index, "hashed", hashed)
    return seen


def test_locate_is_relative_to_the_spec(put, tmp_path):
    path = put("data/train.csv", "a\n1\n")
    assert locate("../data/train.csv", tmp_path / "specs") == path
    assert locate(str(path), tmp_path / "elsewhere") == path


def test_a_missing_file_names_its_neighbours(put, tmp_path):
    put("data/train.csv", "")
    put("data/test.csv", "")
    with pytest.raises(RunnerError, match=r"`data/trian\.csv` does not exist") as caught:
        locate("data/trian.csv", tmp_path)
    assert caught.value.hint.startswith("did you mean `train.csv`?")
    with pytest.raises(RunnerError) as caught:
        locate("dta/train.csv", tmp_path)
    assert "the folder" in caught.value.hint


def test_hash_of_the_content(put, cache):
    assert content_hash(put("a", "x"), cache) == hashlib.sha256(b"x").hexdigest()
    assert content_hash(put("b/c", "x"), cache) == content_hash(put("d", "x"), cache)


def test_a_same_size_edit_within_the_same_instant_is_noticed(put, cache):
    path = put("a", "one")
    stat = path.stat()
    before = content_hash(path, cache)
    path.write_text("two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert content_hash(path, cache) != before


def test_an_old_file_is_hashed_once(put, cache, counted, monkeypatch):
    path = put("a", "one")
    content_hash(path, cache)
    content_hash(path, cache)
    assert counted == ["a", "a"], "touched just before it was indexed: not trusted"
    monkeypatch.setattr(stat_index.time, "time_ns", lambda: path.stat().st_mtime_ns + 3_000_000_000)
    content_hash(path, cache)
    content_hash(path, cache)
    assert counted == ["a", "a", "a"]
    put("a", "two")
    assert content_hash(path, cache) == hashlib.sha256(b"two").hexdigest()


def test_a_damaged_index_is_ignored(put, cache):
    path = put("a", "one")
    before = content_hash(path, cache)
    for entry in (cache.folder / "stat").iterdir():
        entry.write_text("{")
    assert content_hash(path, cache) == before


def test_a_file_that_changes_while_it_is_read_is_refused(put, cache, monkeypatch):
    path = put("a", "one")

    def hashed(file):
        file.write_text("longer")
        return "0"

    monkeypatch.setattr(stat_index, "hashed", hashed)
    with pytest.raises(RunnerError, match="changed while it was read"):
        content_hash(path, cache)


def test_folders_by_names_and_contents(put, cache, tmp_path):
    for name in ("one/a", "one/b/c", "two/a", "two/b/c"):
        put(name, name.split("/", 1)[1])
    assert content_hash(tmp_path / "one", cache) == content_hash(tmp_path / "two", cache)
    (tmp_path / "two/a").rename(tmp_path / "two/z")
    assert content_hash(tmp_path / "one", cache) != content_hash(tmp_path / "two", cache)
