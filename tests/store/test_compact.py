"""A compact database has the same rows, views and macros in fewer bytes; an upgraded one says what it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from runner.errors import RunnerError
from runner.store import upgrade as module
from runner.store.check import check
from runner.store.compact import compact
from runner.store.ingest import ingest
from runner.store.migrations import MIGRATIONS
from runner.store.query import query
from runner.store.upgrade import upgrade
from runner.store.working import connect
from tests.store import runs
from tests.store.conftest import log_of, stored


def test_rows_stay_and_room_goes(results: Path) -> None:
    for name in ("one-1", "two-1"):
        runs.run(results, name)
    log = log_of(results, "two-1", attempt=2)
    for _ in range(3):
        log.write("answers", split="train", task="mood", ids=[f"{n**9:040}" for n in range(5_000)])
        ingest(results)
    rows = stored(results)
    before, after = compact(results)
    assert after < before
    assert stored(results) == rows == stored(results, "store.duckdb")
    assert check(results).differences == ()
    assert query(results, "SELECT count(*) AS n FROM leaderboard").to_pylist()
    assert not (results / ".compact").exists()
    log.write("metrics", step=1, split="train", values={"loss": 1.0})
    ingest(results)
    assert check(results).differences == ()


def test_a_killed_one_left_something_behind(results: Path) -> None:
    runs.run(results, "one-1")
    (results / ".compact").mkdir()
    (results / ".compact" / "store.duckdb").write_bytes(b"half a database")
    compact(results)
    assert check(results).differences == ()
    assert not (results / ".compact").exists()


BOUNDED = """
import resource, sys
from pathlib import Path
import pyarrow
from runner.errors import RunnerError
from runner.store.check import check
from runner.store.compact import compact

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
for verb in (compact, check):
    try:
        verb(Path(sys.argv[1]))
    except RunnerError as error:
        print(error.hint)
"""


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_a_disk_too_full_for_another_database_costs_nothing(results: Path, share: float) -> None:
    runs.run(results, "one-1")
    log_of(results, "one-1", attempt=2).write("answers", split="train", task="mood", ids=[*map(str, range(20_000))])
    ingest(results)
    rows, names = stored(results), {*results.iterdir()}
    size = int(share * (results / "store.duckdb").stat().st_size)
    words = [sys.executable, "-c", BOUNDED, str(results), str(size)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["free some space and ask again; the logs are complete"] * 2
    assert {path.name for path in {*results.iterdir()} - names} <= {".check.lock"}
    assert stored(results) == rows
    assert check(results).differences == ()


def test_an_upgrade_says_from_where(results: Path) -> None:
    assert upgrade(results) == (len(MIGRATIONS), len(MIGRATIONS))
    assert upgrade(results / "new") == (0, len(MIGRATIONS))
    with duckdb.connect(str(results / "store.duckdb")) as con:
        con.execute(f"DELETE FROM migrations WHERE number = {len(MIGRATIONS)}")
    assert upgrade(results) == (len(MIGRATIONS) - 1, len(MIGRATIONS))
    with duckdb.connect(str(results / "store.duckdb")) as con:
        con.execute("INSERT INTO migrations VALUES (999, 'later', now())")
    with pytest.raises(RunnerError, match="made by a newer runner"):
        upgrade(results)


HOLDER = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


def test_an_upgrade_does_not_call_a_store_damaged_that_another_program_holds(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "connect", lambda path, wait: connect(path, 0))
    words = [sys.executable, "-c", HOLDER, str(results / "store.duckdb")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RunnerError, match="is locked by process") as caught:
            upgrade(results)
        process.communicate()
    assert caught.value.hint == "close that program, then ask again"
    assert upgrade(results) == (len(MIGRATIONS), len(MIGRATIONS))
