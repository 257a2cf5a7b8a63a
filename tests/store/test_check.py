"""Whatever makes database and logs differ is found, and a rebuilt database differs in nothing."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from runner.errors import RunnerError
from runner.store import check as module
from runner.store.check import check
from runner.store.ingest import ingest, rebuild
from tests.store import runs
from tests.store.conftest import file_of, log_of, stored

BOTH = ("store.duckdb", "results.duckdb")


@pytest.fixture
def store(results: Path) -> Path:
    """Two runs with answers, curves, and a model."""
    for name in ("one-1", "two-1"):
        runs.run(results, name)
        log = log_of(results, name)
        for step in range(4):
            log.write("metrics", step=step, split="train", values={"loss": 1 / (1 + step), "mood.f1": float("nan")})
        model = results / "runs" / name / "model"
        model.mkdir()
        (model / "w.bin").write_bytes(b"weights")
        sha = hashlib.sha256(b"weights").hexdigest()
        log.write("artifact", name="w.bin", path="elsewhere/w.bin", sha256=sha, bytes=7)
        log.close()
    ingest(results)
    return results


def change(results: Path, sql: str) -> None:
    """Change both databases behind the program's back; their stamps stay alike."""
    for name in BOTH:
        at = (results / name).stat()
        with duckdb.connect(str(results / name)) as con:
            con.execute(sql)
        os.utime(results / name, ns=(at.st_atime_ns, at.st_mtime_ns))


def found(results: Path) -> set[tuple[str, str]]:
    return {(each.run, each.table) for each in check(results, files=True).differences}


def test_a_store_that_nobody_touched_is_as_its_logs_say(store: Path) -> None:
    seen = check(store, files=True)
    assert (seen.runs, seen.differences, seen.unreadable, seen.growing) == (2, (), 0, 0)
    assert seen.rows > 100
    assert not (store / ".check").exists()


CHANGES: dict[str, tuple[Callable[[Path], object], set[tuple[str, str]]]] = {
    "a row that is gone": (
        lambda at: change(at, "DELETE FROM answers WHERE run = 'one-1' AND position = 3"),
        {("one-1", "answers")},
    ),
    "a value that changed": (
        lambda at: change(at, "UPDATE scores SET value = value + 1e-9 WHERE run = 'two-1'"),
        {("two-1", "scores")},
    ),
    "a row too many": (
        lambda at: change(at, "INSERT INTO packages VALUES ('one-1', 1, 'evil', '1')"),
        {("one-1", "packages")},
    ),
    "a point that changed": (
        lambda at: change(at, "UPDATE points SET value = 7 WHERE step = 2 AND isfinite(value)"),
        {("one-1", "metrics"), ("two-1", "metrics")},
    ),
    "a map that changed": (
        lambda at: change(at, "UPDATE summaries SET scores = MAP {'mood.f1': 1.0} WHERE run = 'one-1'"),
        {("one-1", "summaries")},
    ),
    "a file of another size": (
        lambda at: (at / "runs/one-1/model/w.bin").write_bytes(b"weight"),
        {("one-1", "artifacts")},
    ),
    "a file with another content": (
        lambda at: (at / "runs/one-1/model/w.bin").write_bytes(b"Weights"),
        {("one-1", "artifacts")},
    ),
    "a file that is gone": (lambda at: (at / "runs/two-1/model/w.bin").unlink(), {("two-1", "artifacts")}),
    "a database that is half": (
        lambda at: [(at / name).write_bytes((at / name).read_bytes()[:9000]) for name in BOTH],
        {("", "")},
    ),
}


@pytest.mark.parametrize("change_", CHANGES)
def test_what_differs_is_named(store: Path, change_: str) -> None:
    before = stored(store)
    break_, expected = CHANGES[change_]
    break_(store)
    assert found(store) == expected
    if "file" not in change_:
        rebuild(store)
        assert found(store) == set()
        assert stored(store) == before


def test_a_model_that_was_removed_on_purpose_is_not_missed(store: Path) -> None:
    (store / "runs/one-1/model/w.bin").unlink()
    (store / "runs/one-1/model").rmdir()
    assert found(store) == set()


def test_unreadable_lines_are_counted_and_are_no_difference(store: Path) -> None:
    with file_of(store, "one-1").open("ab") as log:
        log.write(b"torn\n\x00\xff\n")
    assert (check(store).unreadable, found(store)) == (2, set())


def test_a_run_whose_log_is_gone(store: Path) -> None:
    file_of(store, "one-1").unlink()
    assert ("one-1", "") in found(store)
    rebuild(store)
    assert found(store) == set()


def test_nothing_at_all_is_fine(tmp_path: Path) -> None:
    seen = check(tmp_path / "new")
    assert (seen.runs, seen.differences) == (0, ())


def test_a_damaged_block_is_a_difference_and_no_fault_of_the_program(store: Path) -> None:
    whole, rng, said = (store / "results.duckdb").read_bytes(), random.Random(3), set()
    at = (store / "results.duckdb").stat()
    for _ in range(12):
        place = rng.randrange(len(whole))
        (store / "results.duckdb").write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        os.utime(store / "results.duckdb", ns=(at.st_atime_ns, at.st_mtime_ns))
        said |= {(each.what.partition(": ")[0], each.hint) for each in check(store).differences}
    hint = "`runner store rebuild` makes it again from the logs"
    assert (f"`{store / 'results.duckdb'}` is damaged", hint) in said
    assert not (store / ".check").exists()
    rebuild(store)
    assert found(store) == set()


HOLDER = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


@pytest.fixture
def held(store: Path) -> Iterator[Path]:
    """A store that another program holds open for writing."""
    words = [sys.executable, "-c", HOLDER, str(store / "store.duckdb")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield store
        process.communicate()


def test_a_store_that_another_program_holds_is_not_called_damaged(held: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ingest", lambda results: ingest(results, wait=0))
    with pytest.raises(RunnerError, match="is locked by process") as caught:
        check(held)
    assert caught.value.hint == "close that program, then ask again"


def test_a_check_that_was_killed_left_something_behind(store: Path) -> None:
    (store / ".check").mkdir()
    (store / ".check" / "runs").symlink_to(store / "runs", target_is_directory=True)
    (store / ".check" / "store.duckdb").write_bytes(b"half a database")
    assert found(store) == set()
    assert not (store / ".check").exists()
    assert len(list((store / "runs").iterdir())) == 2
