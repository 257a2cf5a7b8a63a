"""Import: an export becomes logs again, and is merged as the runs of another folder are; the tables follow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock

from runner.errors import RunnerError
from runner.store.elsewhere import Elsewhere, elsewhere, kept, safe
from runner.store.formats._folder import MANIFEST
from runner.store.formats.parquet import FILES, LOGS
from runner.store.log import NAME
from runner.store.merge import Merged, merge

UNPACKED = ".import"


def bring(results: Path, folders: Iterable[str]) -> Merged:
    """Bring in the runs of exports, or of other folders of results without their models.

    RunnerError, before anything is brought in, for what is neither, or is damaged.
    """
    results.mkdir(parents=True, exist_ok=True)
    with FileLock(results / f"{UNPACKED}.lock"), emptied(results / UNPACKED) as unpacked:
        found = {source(elsewhere(each), unpacked / str(at)): each for at, each in enumerate(folders)}
        merged = merge(results, found, models=False)
    return replace(merged, conflicts=[{**each, "place": found[each["place"]]} for each in merged.conflicts])


@contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """A folder without what an import that was killed left in it; gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def source(place: Elsewhere, unpacked: Path) -> str:
    """Where the runs of a place are to be merged from: an export is unpacked first."""
    try:
        if place.has(MANIFEST):
            unpack(place, manifest(place), unpacked)
            return str(unpacked)
        if place.holds_runs():
            return place.place
    except OSError as error:
        raise RunnerError(f"cannot read `{place.place}`: {error}", "make the export again") from error
    hint = "name a folder that `runner store export` wrote, or one of results"
    raise RunnerError(f"`{place.place}` is no export: {place.listed()}", hint)


def manifest(place: Elsewhere) -> dict[str, Any]:
    """What an export says about itself; RunnerError where it cannot come back in."""
    with place.system.open(f"{place.folder}/{MANIFEST}", "rb") as stream:
        text = stream.read()
    try:
        about: dict[str, Any] = json.loads(text)
        version, format, rows = about["export"], about["format"], about["rows"]
    except (ValueError, LookupError, TypeError) as error:
        raise RunnerError(
            f"`{place.place}` is no export: its `{MANIFEST}` is another file", "name another folder"
        ) from error
    if version != 1:
        raise RunnerError(f"`{place.place}` was written by a newer runner, version {about.get('version')}", "upgrade")
    if format != "parquet" or not {LOGS, FILES} <= {*rows}:
        raise RunnerError(f"`{place.place}` is {format}, which has no logs", "export as parquet: that comes back in")
    return about


def unpack(place: Elsewhere, about: dict[str, Any], folder: Path) -> None:
    """Write logs and files as runs of a folder of results; RunnerError where rows are missing or damaged."""
    (folder / "runs").mkdir(parents=True)
    counts = {LOGS: 0, FILES: 0}
    for name, put in ((LOGS, logs), (FILES, files)):
        for path in parts(place, name):
            with place.system.open(path, "rb") as stream:
                counts[name] += put(place, stream, folder / "runs")
    for name, count in counts.items():
        if count != about["rows"][name]:
            found = f"`{name}` has {count:,} rows, not the {about['rows'][name]:,} that were written"
            raise RunnerError(f"`{place.place}` is not whole: {found}", "make the export again")


def parts(place: Elsewhere, name: str) -> list[str]:
    """The files of a table."""
    return sorted(path for path in place.system.find(f"{place.folder}/{name}") if path.endswith(".parquet"))


def batches(place: Elsewhere, stream: BinaryIO) -> Iterator[list[dict[str, Any]]]:
    """The rows of a file, checked by the sums of its pages."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(stream, page_checksum_verification=True).iter_batches():
            yield batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise RunnerError(f"`{place.place}` is damaged: {error}", "make the export again") from error


def logs(place: Elsewhere, stream: BinaryIO, runs: Path) -> int:
    """Append the lines of logs, each where it stood; how many."""
    count = 0
    for rows in batches(place, stream):
        with ExitStack() as opened:
            streams: dict[str, BinaryIO] = {}
            for row in rows:
                if row["run"] not in streams:
                    log = inside(place, runs, row["run"], NAME)
                    streams[row["run"]] = opened.enter_context(log.open("ab"))
                if streams[row["run"]].tell() != row["position"]:
                    raise RunnerError(f"`{place.place}` lacks lines of `{row['run']}`", "make the export again")
                streams[row["run"]].write(row["line"])
        count += len(rows)
    return count


def files(place: Elsewhere, stream: BinaryIO, runs: Path) -> int:
    """Write the files beside the logs; how many."""
    count = 0
    for rows in batches(place, stream):
        for row in rows:
            inside(place, runs, row["run"], row["path"]).write_bytes(row["content"])
        count += len(rows)
    return count


def inside(place: Elsewhere, runs: Path, run: str, name: str) -> Path:
    """The path of a file in a run's folder, which is made; RunnerError for one that would lie anywhere else."""
    if not safe(run) or not safe(name) or not (name == NAME or kept(name)):
        raise RunnerError(f"`{place.place}` names a file that no run has: `{run}/{name}`", "trust no such export")
    (runs / run).mkdir(exist_ok=True)
    return runs / run / name
