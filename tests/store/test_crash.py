"""Kills at chosen moments, a full disk, and two at once: nothing recorded is lost, nothing is counted twice."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from runner.errors import RunnerError
from runner.store import ingest as module
from runner.store.ingest import ingest
from runner.store.log import read
from tests.store.conftest import ask, log_of, start, stored

RUNS = ("first", "second")


def logs(results: Path) -> None:
    """Two runs of four records each."""
    for run in RUNS:
        log = log_of(results, run)
        start(log, params={"a": 1})
        for step in (1, 2):
            log.write("metrics", step=step, values={"loss": step})
        log.write("run_finished", state="finished", seconds=1.0)


# Each moment is a statement that makes an ingester kill itself when it gets there.
NEW = "before the first row of a new database"
COPYING = "in the middle of the copy"
MOMENTS = {
    NEW: "module.catch_up = die",
    "between rows and offsets": "module.insert = lambda con, name, *rows: name == 'offsets' and die() or put(con, name, *rows)",
    "between two logs": "tail.BATCH = 1; tail.take = lambda log, *at: log.parent.name == 'second' and die() or take(log, *at)",
    "between points and their sums": "series.sum_up = die",
    "before the checkpoint": "module.settle = die",
    COPYING: "shutil.copyfile = lambda old, new: (new.write_bytes(old.read_bytes()[:5000]), die())",
    "before the copy is renamed": "os.utime = die",
}
READER = "the same, for a reader"
INGESTER = """
import os, shutil, signal, sys
from contextlib import suppress
from pathlib import Path
import pyarrow
import runner.store.ingest as module
from runner.store import series, tail

with suppress(ImportError):
    import pandas  # DuckDB would look for it in each child

put, take = module.insert, tail.take

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

for results, moment in zip(sys.argv[1::2], sys.argv[2::2]):
    child = os.fork()
    if not child:
        exec(moment)
        module.ingest(Path(results))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of results, each left behind by an ingester that was killed at a moment."""
    moments = MOMENTS | {READER: MOMENTS[COPYING]}
    folders = {moment: tmp_path_factory.mktemp("killed") for moment in moments}
    ingest(folders[READER])
    for moment, folder in folders.items():
        logs(folder)
        if moment not in (NEW, READER):
            shutil.copyfile(folders[READER] / "store.duckdb", folder / "store.duckdb")
    words = [word for moment, folder in folders.items() for word in (str(folder), moments[moment])]
    done = subprocess.run([sys.executable, "-c", INGESTER, *words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["-9"] * len(moments), done.stderr
    return folders


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What an ingester that nobody kills makes of the same logs."""
    results = tmp_path_factory.mktemp("whole")
    logs(results)
    ingest(results)
    return stored(results)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_ingester_completes_what_a_killed_one_began(
    killed: dict[str, Path], whole: dict[str, list[str]], moment: str
) -> None:
    ingest(killed[moment])
    assert stored(killed[moment]) == whole == stored(killed[moment], "store.duckdb")


def test_a_reader_sees_the_old_copy_while_a_new_one_is_half_written(killed: dict[str, Path]) -> None:
    assert ask(killed[READER], "SELECT count(*) FROM runs") == [(0,)]
    assert len(list(killed[READER].glob(".results.duckdb.*.part"))) == 1


WRITER = """
import os, signal, sys
from pathlib import Path
from runner.store.log import Log

log, write = Log(Path(sys.argv[1]), "demo", 1), os.write
log.write("x", n=1)

def half(file, data):
    write(file, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

os.write = half
log.write("x", n=2)
"""


def test_a_record_torn_by_a_kill_costs_nothing_but_itself(results: Path) -> None:
    folder = results / "runs" / "demo"
    done = subprocess.run([sys.executable, "-c", WRITER, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    log_of(results, attempt=2).write("x", n=3)
    assert [record["n"] for record in read(folder)] == [1, 3]
    assert ingest(results) == 3
    assert ask(results, "SELECT attempt, fields->'n' FROM other_events ORDER BY 1") == [(1, "1"), (2, "3")]
    assert ask(results, "SELECT run, split_part(reason, ':', 1) FROM bad_lines") == [("demo", "JSONDecodeError")]


# A full disk.


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_too_full_for_the_copy_loses_nothing(
    results: Path, whole: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs(results)
    with monkeypatch.context() as patch, pytest.raises(RunnerError) as caught:
        patch.setattr(shutil, "copyfile", full)
        ingest(results)
    assert caught.value.message == f"cannot publish `{results / 'results.duckdb'}`: No space left on device"
    assert caught.value.hint == "free some space and ask again; nothing is lost"
    assert not list(results.glob(".results.duckdb.*"))
    ingest(results)
    assert stored(results) == whole


BOUNDED = """
import resource, sys
from pathlib import Path
import pyarrow
from runner.errors import RunnerError
from runner.store import ingest as module
from runner.store.ingest import ingest

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    ingest(Path(sys.argv[1]))
except RunnerError as error:
    print(error.message, error.hint, sep="\\n")
"""


def test_a_database_that_may_not_grow_is_neither_damaged_nor_short_of_rows(results: Path) -> None:
    logs(results)
    ingest(results)
    log_of(results).write("answers", task="a", ids=[f"{n**9:040}" for n in range(20_000)])
    size = (results / "store.duckdb").stat().st_size
    words = [sys.executable, "-c", BOUNDED, str(results), str(size)]
    message, hint = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    assert message.startswith(f"cannot write `{results / 'store.duckdb'}`: ")
    assert hint == "free some space and ask again; the logs are complete"
    assert ask(results, "SELECT count(*) FROM answers") == [(0,)]
    ingest(results)
    assert ask(results, "SELECT count(*), count(DISTINCT id) FROM answers") == [(20_000, 20_000)]


# Two at once.


def test_nobody_else_may_read_or_publish_meanwhile(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look(at: Path) -> None:
        with pytest.raises(Timeout):
            FileLock(at / ".ingest.lock", thread_local=False).acquire(timeout=0)
        seen.append(at)

    monkeypatch.setattr(module, "publish", look)
    log_of(results).write("dream")
    ingest(results)
    assert seen == [results]


ONE = """
import sys
from pathlib import Path
import pyarrow
from runner.store import ingest as module
from runner.store.ingest import ingest

print("ready", flush=True)
print(ingest(Path(sys.argv[1])))
"""


@pytest.fixture
def pair(results: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Two ingesters of the same folder."""
    words = [sys.executable, "-c", ONE, str(results)]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as other,
    ):
        yield [one, other]


def test_two_ingesters_at_once_give_each_row_once(
    tmp_path: Path, whole: dict[str, list[str]], pair: list[subprocess.Popen[str]]
) -> None:
    with FileLock(tmp_path / ".ingest.lock"):  # both stand at the door
        assert [process.stdout and process.stdout.readline() for process in pair] == ["ready\n"] * 2
        logs(tmp_path)
    counts = [process.communicate()[0] for process in pair]
    assert sorted(counts) == ["0\n", "8\n"]
    assert stored(tmp_path) == whole
