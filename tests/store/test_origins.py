"""Where runs came from and what they went through."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from runner.store.ingest import catch_up
from tests.store.conftest import log_of, rows, start
from tests.store.runs import run

AT = datetime(2024, 1, 1)


def test_a_machine_is_one_whatever_was_checked_out(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    machines: dict[str, dict[str, Any]] = {"a": {}, "b": {"git_commit": "c2"}, "c": {"cores": 4}}
    for name, more in machines.items():
        run(tmp_path, name, machine=more)
    catch_up(con, tmp_path)
    asked = "SELECT python, cores, runs, attempts, first, packages ->> '$.torch' FROM environments ORDER BY cores"
    assert rows(con, asked) == [("3.11.7", 2, 2, 2, AT, "2.13.0"), ("3.11.7", 4, 1, 1, AT, "2.13.0")]


def test_a_file_is_one_whatever_it_is_called(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    for name, digest in {"a": "22", "b": "33"}.items():
        run(tmp_path, name, files={"test": digest})
    log_of(tmp_path, "c").write("data", data="more", split="test", file="x.csv", sha256="22", rows=40, bytes=9)
    catch_up(con, tmp_path)
    assert rows(con, "FROM datasets ORDER BY sha256") == [
        ("11", 40, None, ["films"], ["train"], ["train.csv"], 2),
        ("22", 40, 9, ["films", "more"], ["test"], ["test.csv", "x.csv"], 2),
        ("33", 40, None, ["films"], ["test"], ["test.csv"], 1),
    ]


def test_events_stand_in_order(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    log = log_of(tmp_path)
    start(log, time=1.0)
    log.write("stage", time=2.0, name="encode")
    log.write("dream", time=3.0)
    log.write("failure", time=4.0, kind="E", message="no")
    log.write("run_finished", time=5.0, state="failed", seconds=4.0)
    catch_up(con, tmp_path)
    assert rows(con, "SELECT epoch(time), event, what FROM events") == [
        (1.0, "run_started", "elsewhere"),
        (2.0, "stage", "encode"),
        (3.0, "dream", None),
        (4.0, "failure", "E: no"),
        (5.0, "run_finished", "failed"),
    ]
