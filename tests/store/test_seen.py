"""What did not change is not opened again; any doubt leads to a look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.store import ingest as module
from runner.store import seen, tail
from runner.store.ingest import ingest, rebuild
from tests.store.conftest import ELSEWHERE, ask, file_of, log_of, start


@pytest.fixture
def settled(results: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs that were read when their logs were old enough."""
    monkeypatch.setattr(seen, "SETTLED", -1.0)
    for run in ("a", "b"):
        log_of(results, run).write("dream")
    ingest(results)
    return results


def test_unchanged_results_are_known_without_the_database(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seen.unchanged(settled)
    monkeypatch.setattr(seen, "stamp", lambda path: (0, 0))
    assert not seen.unchanged(settled)


def test_only_the_log_that_grew_is_opened(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_of(settled, "b").write("dream")
    opened: list[str] = []
    take = tail.batches

    def spy(logs: list[Path], known: dict[str, tuple[int, str]]) -> object:
        opened.extend(log.parent.name for log in logs)
        return take(logs, known)

    monkeypatch.setattr(module, "batches", spy)
    assert not seen.unchanged(settled)
    assert ingest(settled) == 1 and opened == ["b"]
    assert seen.unchanged(settled)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a log grows": lambda results: log_of(results, "a").write("dream"),
    "a log is replaced": lambda results: file_of(results, "a").write_bytes(file_of(results, "a").read_bytes()),
    "a run is new": lambda results: log_of(results, "c").write("dream"),
    "a run is gone": lambda results: file_of(results, "a").unlink(),
    "the database is touched": lambda results: os.utime(results / "store.duckdb"),
    "the copy is gone": lambda results: (results / "results.duckdb").unlink(),
    "what was remembered is torn": lambda results: (results / seen.FILE).write_bytes(b'{"program": "'),
    "what was remembered is of another form": lambda results: (results / seen.FILE).write_bytes(b'{"new": 1}'),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_seen(settled: Path, change: str) -> None:
    CHANGES[change](settled)
    assert not seen.unchanged(settled)
    ingest(settled)
    assert seen.unchanged(settled)


def test_another_program_looks_itself(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "fingerprint", lambda: "later")
    assert not seen.unchanged(settled)


def test_a_log_that_was_just_written_is_read_again(results: Path) -> None:
    log_of(results).write("dream")
    ingest(results)
    assert not seen.unchanged(results)


def test_while_an_attempt_may_die_somebody_looks(settled: Path) -> None:
    log_of(settled, "c").write("run_started", time=time.time())
    ingest(settled)
    assert not seen.unchanged(settled)
    log_of(settled, "c").write("run_finished", state="finished", seconds=1.0)
    start(log_of(settled, "d"), **ELSEWHERE)
    ingest(settled)
    assert seen.unchanged(settled)


def test_a_database_made_anew_reads_all_logs(settled: Path) -> None:
    assert rebuild(settled) == 2
    (settled / "store.duckdb").unlink()
    assert ingest(settled) == 2
    assert ask(settled, "SELECT count(*) FROM other_events") == [(2,)]
