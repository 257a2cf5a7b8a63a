"""A verdict is remembered only as long as nothing that it stands on was touched."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from runner.plan import verdict
from runner.run import validate

LONG_AGO = 1_600_000_000


@pytest.fixture
def known(tiny: Path) -> tuple[Path, Path]:
    """A spec whose verdict is remembered, and the cache that holds it."""
    cache = tiny.parent / "cache"
    own = tiny.parent / "encoder"
    shared = own.resolve()
    own.unlink()
    shutil.copytree(shared, own)
    age(tiny.parent)
    assert validate.validated([tiny], cache) == ([], 0)
    assert verdict.recall(tiny, cache) == []
    return tiny, cache


def age(folder: Path) -> None:
    """Let the next check happen in a future in which the files are old (their change time can't be set)."""
    for place in [folder, *folder.rglob("*")]:
        os.utime(place, (LONG_AGO, LONG_AGO))


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    real = validate.time.time_ns
    monkeypatch.setattr(validate.time, "time_ns", lambda: real() + 10_000_000_000)


def test_an_untouched_spec_is_not_read_again(known: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    spec, cache = known
    monkeypatch.setattr(validate, "judged", lambda *_: pytest.fail("checked again"))
    assert validate.validated([spec], cache) == ([], 0)


@pytest.mark.parametrize("name", ["spec.toml", "train.csv", "encoder/config.json"])
def test_touching_any_file_forgets_the_verdict(known: tuple[Path, Path], name: str) -> None:
    spec, cache = known
    file = spec if name == "spec.toml" else spec.parent / name
    file.write_bytes(file.read_bytes() + b"\n")
    assert verdict.recall(spec, cache) is None


def test_the_files_of_augmentations_belong_to_the_verdict(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tiny.parent / "synonyms.csv"
    table.write_text("word,synonym\ngood,fine\n", encoding="utf-8")
    text = tiny.read_text(encoding="utf-8").replace(
        'test = "test.csv"', 'test = "test.csv"\naugment = [{ type = "synonyms", table = "synonyms.csv" }]'
    )
    tiny.write_text(text, encoding="utf-8")
    age(tiny.parent)
    assert validate.validated([tiny], tiny.parent / "cache") == ([], 0)
    assert verdict.recall(tiny, tiny.parent / "cache") == []
    table.write_text("word,synonym\ngood,\n", encoding="utf-8")
    assert verdict.recall(tiny, tiny.parent / "cache") is None
    assert validate.validated([tiny], tiny.parent / "cache")[1] == 1


def test_a_missing_file_forgets_the_verdict(known: tuple[Path, Path]) -> None:
    spec, cache = known
    (spec.parent / "train.csv").unlink()
    assert verdict.recall(spec, cache) is None


def test_another_version_of_the_program_forgets_the_verdict(
    known: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, cache = known
    monkeypatch.setattr(verdict, "code", lambda: ["later", 1])
    assert verdict.recall(spec, cache) is None


def test_a_torn_entry_is_no_verdict(known: tuple[Path, Path]) -> None:
    spec, cache = known
    place = verdict.entry(spec, cache)
    place.write_text(json.dumps(json.loads(place.read_text()))[:40], encoding="utf-8")
    assert verdict.recall(spec, cache) is None


def test_files_touched_just_before_the_check_are_not_trusted(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate.time, "time_ns", lambda: 1)
    cache = tiny.parent / "cache"
    assert validate.validated([tiny], cache) == ([], 0)
    assert verdict.recall(tiny, cache) is None


def test_faults_are_never_remembered(tiny: Path) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("epochs", "epochz"), encoding="utf-8")
    cache = tiny.parent / "cache"
    assert validate.validated([tiny], cache)[1] == 1
    assert verdict.recall(tiny, cache) is None


def test_warnings_are_told_again(tiny: Path) -> None:
    (tiny.parent / "test.csv").write_text("text,label,size\nthe day,good,short\na film,bad,short\n", encoding="utf-8")
    cache = tiny.parent / "cache"
    warnings, failed = validate.validated([tiny], cache)
    assert [each.message for each in warnings] == ["label `long` has no row in test: its scores there are unknown"]
    assert not failed and verdict.recall(tiny, cache) == warnings
