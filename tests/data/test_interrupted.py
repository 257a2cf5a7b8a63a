"""Every stage of preparation beside a kill, a second process, a damaged entry and a full disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.errors import RunnerError
from runner.parts.cleaners import _buckets
from tests.data import preparing
from tests.data.preparing import STAGES, around, halve, prepare

ROOT = Path(__file__).parents[2]
CHILD = """
import os, signal, sys
from pathlib import Path
from runner.cache.cache import Cache
from tests.data.preparing import around, halve, prepare

folder, tokenizer_file, what, stage = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]

def die(entry):
    halve(entry)
    os.kill(os.getpid(), signal.SIGKILL)

def pause(entry):
    print("building", flush=True)
    sys.stdin.readline()

def log(entry):
    with (folder / "built").open("a") as file:
        print(stage, file=file)

if what == "die":
    Cache.make = around(stage, after=die)
else:
    Cache.make = around(stage, before=log)
    if what == "pause":
        Cache.make = around(stage, after=pause)
    else:
        real = Cache.make
        def asking(self, name, *given):
            if name == stage:
                print("asks", flush=True)
            return real(self, name, *given)
        Cache.make = asking
prepare(folder, Cache(folder / "cache"), tokenizer_file)
print("done", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    preparing.write(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, tokenizer_file: Path) -> object:
    """What comes out when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    preparing.write(folder)
    found = prepare(folder, Cache(folder / "cache"), tokenizer_file)
    steps = {facts["step"]: facts for facts in found["account"]}
    assert sum(steps["exact_duplicates"]["dropped"].values()) == 2 and steps["oversample"]["made"] and steps["swap_words"]["made"]  # fmt: skip
    return found


def start(folder: Path, tokenizer_file: Path, what: str, stage: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CHILD, str(folder), str(tokenizer_file), what, stage]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def unfinished(cache: Cache) -> list[Path]:
    return sorted(cache.folder.rglob("*.tmp"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_in_the_middle(folder, cache, tokenizer_file, expected, stage):
    with start(folder, tokenizer_file, "die", stage) as child:
        assert child.wait() == -9
    assert len(unfinished(cache)) == 1
    assert prepare(folder, cache, tokenizer_file) == expected
    assert unfinished(cache) == []


@pytest.mark.parametrize("stage", STAGES)
def test_two_processes_build_a_stage_once(folder, cache, tokenizer_file, expected, stage):
    with start(folder, tokenizer_file, "pause", stage) as one:
        assert one.stdout.readline() == "building\n"
        with start(folder, tokenizer_file, "ask", stage) as other:
            assert other.stdout.readline() == "asks\n"
            one.stdin.write("\n")
            one.stdin.flush()
            assert one.stdout.readline() == other.stdout.readline() == "done\n"
    assert (folder / "built").read_text() == f"{stage}\n"
    assert prepare(folder, cache, tokenizer_file) == expected


@pytest.mark.parametrize("stage", STAGES)
def test_a_truncated_entry_is_made_again(folder, cache, tokenizer_file, expected, stage):
    prepare(folder, cache, tokenizer_file)
    (entry,) = (cache.folder / stage).glob("[!.]*")
    for name in sorted(each.name for each in entry.iterdir()):
        (entry / name).write_bytes((entry / name).read_bytes()[: (entry / name).stat().st_size // 2])
        assert prepare(folder, cache, tokenizer_file) == expected, name


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("stage", STAGES)
def test_no_space_is_told_and_leaves_nothing(folder, cache, tokenizer_file, expected, monkeypatch, stage, error):
    def full(entry: Path) -> None:
        halve(entry)
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch, pytest.raises(RunnerError, match="no space left for the cache") as caught:
        patch.setattr(Cache, "make", around(stage, after=full))
        prepare(folder, cache, tokenizer_file)
    assert "`runner cache gc --max-size`" in caught.value.hint
    assert unfinished(cache) == []
    built = [each for each in STAGES if list((cache.folder / each).glob("[!.]*"))]
    assert built == STAGES[: STAGES.index(stage)]
    assert prepare(folder, cache, tokenizer_file) == expected


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)], capture_output=True, check=False)  # fmt: skip
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, left: int) -> None:
    """Leave so many bytes free, in whole pages."""
    filler = disk / "filler"
    with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - left)


@pytest.mark.parametrize("left", [0, 4096, 16384])
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk(folder, disk, tokenizer_file, expected, monkeypatch, stage, left):
    monkeypatch.setattr(_buckets, "SMALL", 0)  # so that these go to files too
    cache = Cache(disk / "cache")
    with monkeypatch.context() as patch, pytest.raises(RunnerError, match="no space left for the cache"):
        patch.setattr(Cache, "make", around(stage, before=lambda entry: fill(disk, left)))
        prepare(folder, cache, tokenizer_file)
    assert unfinished(cache) == []
    (disk / "filler").unlink()
    assert prepare(folder, cache, tokenizer_file) == expected


def test_known_data_need_no_space(folder, disk, tokenizer_file, expected):
    cache = Cache(disk / "cache")
    prepare(folder, cache, tokenizer_file)
    fill(disk, 0)
    assert prepare(folder, cache, tokenizer_file) == expected


def test_a_disk_that_is_full_from_the_start(folder, disk, tokenizer_file, expected):
    cache = Cache(disk / "cache")
    fill(disk, 0)
    with pytest.raises(RunnerError, match="no space left for the cache"):
        prepare(folder, cache, tokenizer_file)
    assert unfinished(cache) == []
    (disk / "filler").unlink()
    assert prepare(folder, cache, tokenizer_file) == expected
