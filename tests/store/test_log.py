"""The log: whole lines of strict JSON, whatever the disk does."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from runner.store.ingest import ingest
from runner.store.log import Log, attempts, encode, read
from tests.store.conftest import ask, file_of, log_of

WRITE = os.write
law = settings(max_examples=60, deadline=None, database=None)


def strict(text: str) -> Any:
    """Parse JSON, refusing what the standard does not know."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


class Disk:
    """A disk that takes so many bytes of each write, and then is full for one; None takes all."""

    def __init__(self, *takes: int | None) -> None:
        self.takes = list(takes)

    def write(self, file: int, data: bytes) -> int:
        take = self.takes.pop(0) if self.takes else None
        if take is None:
            return WRITE(file, data)
        if take == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return WRITE(file, data[:take])


def through(disk: Disk, act: Callable[[], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", disk.write)
        act()


def numbers(results: Path) -> list[int]:
    return [record["n"] for record in read(results / "runs" / "demo")]


def test_a_record_is_one_line_with_its_event_run_attempt_and_time(tmp_path: Path) -> None:
    log_of(tmp_path, attempt=2).write("stage", name="a\nb", path=Path("x/y"), rows=np.int64(3))
    assert file_of(tmp_path).read_text() == (
        '{"event":"stage","run":"demo","attempt":2,"time":1704067200.0,"name":"a\\nb","path":"x/y","rows":3}\n'
    )


def test_the_start_of_a_run_names_its_process(tmp_path: Path) -> None:
    log_of(tmp_path).write("run_started")
    (record,) = read(tmp_path / "runs" / "demo")
    assert record["pid"] == os.getpid() and isinstance(record["host"], str) and record["host"]


def test_numbers_that_are_not_finite_are_strict_json(tmp_path: Path) -> None:
    values = {"loss": float("nan"), "up": float("inf"), "down": np.float32("-inf")}
    log_of(tmp_path).write("metrics", step=1, values=values)
    line = file_of(tmp_path).read_text()
    assert strict(line)["values"] == {"loss": "NaN", "up": "Infinity", "down": "-Infinity"}


def test_numbers_that_are_not_finite_come_back_from_the_database(results: Path) -> None:
    values = {"loss": float("nan"), "up": float("inf"), "down": np.float32("-inf")}
    log_of(results).write("metrics", step=1, values=values)
    ingest(results)
    assert str(ask(results, "SELECT metric, value FROM metrics ORDER BY metric")) == (
        "[('down', -inf), ('loss', nan), ('up', inf)]"
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def mended(value: Any) -> Any:
    """What reading should give for a value."""
    if isinstance(value, float) and not np.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, dict):
        return {key: mended(item) for key, item in value.items()}
    return [mended(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
@law
def test_any_value_is_one_line_of_strict_json_that_reads_back(value: Any) -> None:
    line = encode(value)
    assert "\n" not in line and strict(line) == mended(value)


def test_a_value_without_a_json_form_is_a_programming_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a log record cannot hold a set"):
        log_of(tmp_path).write("stage", name={1, 2})
    assert file_of(tmp_path).read_bytes() == b""


def test_threads_interleave_whole_lines_even_when_the_disk_takes_them_in_pieces(tmp_path: Path) -> None:
    log = log_of(tmp_path)

    def work(name: int) -> None:
        for count in range(20):
            log.write("point", name=name, count=count, fill="x" * 400)

    def all_threads() -> None:
        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    through(Disk(*[50] * 100_000), all_threads)
    found = [(each["name"], each["count"]) for each in map(strict, file_of(tmp_path).read_text().splitlines())]
    assert sorted(found) == [(name, count) for name in range(4) for count in range(20)]
    assert [count for name, count in found if name == 0] == list(range(20))


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    through(Disk(1, 2, 3), lambda: log.write("x", n=1))
    assert numbers(tmp_path) == [1] and log.broken is None


@pytest.mark.parametrize("taken", [[0], [5, 0], [1, 1, 0]], ids=["nothing", "a piece", "two pieces"])
def test_a_full_disk_costs_one_record_and_later_ones_remain_readable(tmp_path: Path, taken: list[int]) -> None:
    log = log_of(tmp_path)
    log.write("x", n=1)
    through(Disk(*taken), lambda: log.write("x", n=2))
    log.write("x", n=3)
    log.write("x", n=4)
    assert numbers(tmp_path) == [1, 3, 4]
    assert b"\n\n" not in file_of(tmp_path).read_bytes()


def test_a_full_disk_is_remembered_and_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = log_of(tmp_path)
    through(Disk(0, 0), lambda: [log.write("x", n=n) for n in (1, 2)] and None)
    assert log.broken == f"No space left on device (`{file_of(tmp_path)}`)"
    assert capsys.readouterr().err == f"warning: the log of run `demo` misses records: {log.broken}\n"


def test_a_disk_that_takes_nothing_without_a_word_is_a_fault_too(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: 0)
        log.write("x", n=1)
    assert log.broken == f"Input/output error (`{file_of(tmp_path)}`)"


def test_a_write_after_closing_marks_the_log_as_broken(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    log.close()
    log.close()
    log.write("x", n=1)
    assert log.broken == f"Bad file descriptor (`{file_of(tmp_path)}`)"
    assert numbers(tmp_path) == []


@given(st.lists(st.lists(st.integers(0, 90), max_size=4), max_size=6))
@law
def test_what_the_disk_took_is_readable_whatever_it_refused(
    tmp_path_factory: pytest.TempPathFactory, faults: list[list[int]]
) -> None:
    results = tmp_path_factory.mktemp("log")
    log, whole = log_of(results), []
    for n, takes in enumerate(faults):
        log.broken = None
        through(Disk(*takes), lambda n=n: log.write("x", n=n))
        whole += [n] if log.broken is None else []
    log.write("x", n=99)
    log.close()
    found = numbers(results)
    assert found == sorted(found) and {*whole, 99} <= set(found)


def test_a_line_torn_by_a_kill_ends_before_the_next_record(tmp_path: Path) -> None:
    file_of(tmp_path).write_bytes(b'{"event":"x","n":1}\n{"event":"x","n"')
    log_of(tmp_path, attempt=2).write("x", n=3)
    lines = file_of(tmp_path).read_bytes().splitlines()
    assert lines[:2] == [b'{"event":"x","n":1}', b'{"event":"x","n"'] and strict(lines[2].decode())["n"] == 3
    assert numbers(tmp_path) == [1, 3]


def test_a_whole_log_is_continued_without_an_empty_line(tmp_path: Path) -> None:
    log_of(tmp_path).write("x", n=1)
    log_of(tmp_path, attempt=2).write("x", n=2)
    assert numbers(tmp_path) == [1, 2] and file_of(tmp_path).read_bytes().count(b"\n") == 2


def test_reading_skips_what_is_no_record(tmp_path: Path) -> None:
    lines = [b"{", b"[1]", b"\xff", b"", b"[" * 100_000, b'{"n":1}', b'{"n":2}']
    file_of(tmp_path).write_bytes(b"\n".join(lines))
    assert numbers(tmp_path) == [1]


def test_a_run_that_never_began_has_no_attempts(tmp_path: Path) -> None:
    assert attempts(tmp_path / "runs" / "demo") == 0


def test_the_highest_attempt_counts(tmp_path: Path) -> None:
    lines = [b'{"attempt":1}', b'{"attempt":3}', b'{"attempt":2}', b'{"attempt":"9"}', b"{}", b'{"attempt":8}']
    file_of(tmp_path).write_bytes(b"\n".join(lines))  # the last line is torn
    assert attempts(tmp_path / "runs" / "demo") == 3


def test_a_log_that_cannot_be_opened_is_the_users_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunnerError, match=r"^cannot open the log `.*log\.jsonl`: Not a directory$"):
        Log(tmp_path / "file" / "demo", "demo", 1)


def test_writing_a_log_loads_no_database() -> None:
    program = "import sys, runner.store.log; print(sorted({'duckdb', 'pyarrow', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
