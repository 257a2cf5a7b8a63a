"""After any disaster `store rebuild` gives the tables of a store that nothing happened to, and `store check` is content."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.store.check import check
from runner.store.ingest import ingest, rebuild
from runner.store.log import Log
from tests.store import runs
from tests.store.conftest import NEW_YEAR, ask, file_of, start, stored

KILLS, FLIPS = 12, 40


def logs(results: Path, names: tuple[str, ...] = ("one-1", "two-1", "six-1")) -> None:
    """Runs with answers and curves; the log of one is torn, of another half nonsense."""
    for name in names:
        runs.run(results, name)
        log = Log(results / "runs" / name, name, 2, clock=lambda: NEW_YEAR)
        start(log)
        for step in range(20):
            log.write("metrics", step=step, split="train", values={"loss": 1 / (1 + step), "mood.f1": step / 20})
        log.close()
    with file_of(results, names[0]).open("ab") as file:
        file.write(b'{"event":"metrics","attempt":2,"time":17040')
    with file_of(results, names[1]).open("ab") as file:
        file.write(b'\x00\xff\xfe\n[1, 2]\n{"event":"metrics","attempt":2,"time":1,"step":"x","values":{"loss":1}}\n\n')


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What these logs make where nothing happens."""
    results = tmp_path_factory.mktemp("whole")
    logs(results)
    ingest(results)
    return stored(results)


def mended(results: Path, whole: dict[str, list[str]]) -> None:
    rebuild(results)
    assert stored(results) == whole
    assert check(results).differences == ()


# An ingester in a child that counts what Python calls, and kills itself at one of these calls.
COUNTING = """
import os, signal, sys
from pathlib import Path
import pyarrow
from runner.store.ingest import ingest

results, ends = Path(sys.argv[1]), [float(word) for word in sys.argv[2:]]

def tried(end):
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        told = os.read(read, 20)
        os.close(read)
        return os.waitstatus_to_exitcode(os.wait()[1]), int(told or 0)
    calls = 0
    def count(*_):
        nonlocal calls
        calls += 1
        if calls == end:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)
    ingest(results)
    sys.setprofile(None)
    os.write(write, str(calls).encode())
    os._exit(0)

if not ends:
    print(tried(-1)[1])
for end in ends:
    print(tried(int(end))[0])
"""


def counted(results: Path, *ends: int) -> list[int]:
    """How many calls an ingester makes, or how each of those ended that were to die at a call."""
    words = [sys.executable, "-c", COUNTING, str(results), *map(str, ends)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


def test_kills_at_any_call(tmp_path: Path, whole: dict[str, list[str]]) -> None:
    logs(tmp_path / "first")
    (calls,) = counted(tmp_path / "first")
    assert calls > 500
    results, rng = tmp_path / "killed", random.Random(5)
    logs(results)
    ends = sorted(rng.randrange(1, calls) for _ in range(KILLS))
    assert counted(results, *ends).count(-9) > 2  # each goes on where the one before was killed, until one is through
    ingest(results)
    assert stored(results) == whole
    mended(results, whole)


# A reader and an ingester of a database with one byte turned; in a child, for nobody knows what a damaged file does.
FLIPPING = """
import os, shutil, sys
from pathlib import Path
from runner.errors import RunnerError
from runner.store.ingest import ingest

results, good = Path(sys.argv[1]), Path(sys.argv[2])
for word in sys.argv[3:]:
    name, place = word.split(":")
    for each in good.iterdir():
        if each.is_file():
            shutil.copyfile(each, results / each.name)
    with (results / name).open("r+b") as file:
        file.seek(int(place))
        byte = file.read(1)[0]
        file.seek(int(place))
        file.write(bytes([byte ^ 0x10]))
    child = os.fork()
    if not child:
        try:
            ingest(results)
        except RunnerError as error:
            assert "store rebuild" in error.hint, error
            os._exit(3)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def unsettled(tmp_path: Path) -> Iterator[Path]:
    """A store whose last rows stand in a log of writes beside the database."""
    import duckdb

    results = tmp_path / "good"
    logs(results)
    ingest(results)
    with duckdb.connect(str(results / "store.duckdb"), config={"checkpoint_threshold": "1GB"}) as con:
        con.execute("PRAGMA disable_checkpoint_on_shutdown")
        con.execute("INSERT INTO packages SELECT 'one-1', 9, 'p' || i, '1' FROM range(500) t(i)")
    assert (results / "store.duckdb.wal").stat().st_size > 500
    yield results


def test_bytes_that_turn(tmp_path: Path, unsettled: Path, whole: dict[str, list[str]]) -> None:
    results, rng, places = tmp_path / "turned", random.Random(7), []
    logs(results)
    for name in ("store.duckdb", "store.duckdb.wal", "results.duckdb"):
        size = (unsettled / name).stat().st_size
        places += [f"{name}:{rng.randrange(size)}" for _ in range(FLIPS // 3)]
    words = [sys.executable, "-c", FLIPPING, str(results), str(unsettled), *places]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == len(places)
    assert set(done.stdout.split()) <= {"0", "3"}, done.stderr
    mended(results, whole)


@pytest.mark.parametrize("name", ["store.duckdb", "results.duckdb"])
@pytest.mark.parametrize("left", [0.0, 0.5, None], ids=["emptied", "cut in half", "deleted"])
def test_a_database_that_is_gone_or_short(tmp_path: Path, whole: dict[str, list[str]], name: str, left: float) -> None:
    logs(tmp_path)
    ingest(tmp_path)
    file = tmp_path / name
    if left is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: int(left * file.stat().st_size)])
    mended(tmp_path, whole)


def test_many_names_of_metrics(tmp_path: Path) -> None:
    log = Log(tmp_path / "runs" / "many", "many", 1, clock=lambda: NEW_YEAR)
    start(log)
    for step in range(2):
        log.write("metrics", step=step, values={f"t.m{at}": float(at) for at in range(5_000)})
    ingest(tmp_path)
    assert ask(tmp_path, "SELECT count(*), count(DISTINCT metric) FROM metrics") == [(10_000, 5_000)]
    assert ask(tmp_path, "SELECT last FROM metric_last WHERE metric = 'm4999'") == [(4999.0,)]
    assert check(tmp_path).differences == ()


def test_a_clock_that_goes_back(tmp_path: Path) -> None:
    times = iter([NEW_YEAR + 100, NEW_YEAR + 50, NEW_YEAR - 10_000, NEW_YEAR + 1, NEW_YEAR])
    log = Log(tmp_path / "runs" / "back", "back", 1, clock=lambda: next(times))
    start(log)
    for step in range(3):
        log.write("metrics", step=step, split="train", values={"loss": float(step)})
    log.write("run_finished", state="finished", seconds=3.0)
    ingest(tmp_path)
    assert ask(tmp_path, "SELECT step, value FROM metrics ORDER BY step") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert ask(tmp_path, "SELECT state, seconds FROM runs") == [("finished", 3.0)]
    assert ask(tmp_path, "SELECT first, last FROM metric_last") == [(0.0, 2.0)]
    assert check(tmp_path).differences == ()
