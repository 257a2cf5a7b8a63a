"""Data sets of the `datasets` library: saved to disk, a folder it can load, or on the hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from runner.errors import RunnerError, did_you_mean
from runner.parts.slices import slices
from runner.parts.sources._hub import HUB, first_line, of_hub
from runner.parts.sources._named import container, wanted_split
from runner.parts.sources._source import LINE, Source, encoded

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 4096


class Dataset(Source):
    """A folder of `save_to_disk`, a folder for `load_dataset`, or `hub:OWNER/NAME[@REVISION]`; `#SPLIT` names a split.

    Columns of class labels become the names of the classes.

    ```toml
    type = "dataset"
    ```
    """

    kind: ClassVar[str] = "dataset"

    type: Literal["dataset"]
    """The kind of source."""

    def batches(self, path: Path) -> Iterator[pa.RecordBatch]:
        import datasets

        datasets.disable_progress_bars()
        with TemporaryDirectory(prefix="runner-dataset-") as scratch:
            yield from encoded(arrow_batches(load(path, scratch), path), path)


def load(path: Path, scratch: str) -> Any:
    """The rows of the split that the path names; what a folder's files are converted to goes into `scratch`."""
    import datasets

    if str(path).startswith(HUB):
        return of_several(of_hub(path), path)
    folder = container(path)
    if (folder / "dataset_dict.json").is_file():
        names = json.loads((folder / "dataset_dict.json").read_bytes())["splits"]
        return of_folder(datasets.load_from_disk, folder / choose(names, path))
    if (folder / "state.json").is_file():
        return of_several(of_folder(datasets.load_from_disk, folder), path)
    return of_several(of_folder(datasets.load_dataset, folder, cache_dir=scratch), path)


def of_folder(read: Callable[..., Any], folder: Path, **options: str) -> Any:
    """What `datasets` reads from a folder, or RunnerError."""
    try:
        return read(str(folder), **options)
    except Exception as error:
        raise RunnerError(
            f"`{folder.name}` is no data set that `datasets` can load: {first_line(error)}",
            "name a file, a folder of `save_to_disk` or a folder for `load_dataset`",
        ) from error


def of_several(loaded: Any, path: Path) -> Any:
    """The split that the path names, where there are splits."""
    if isinstance(loaded, dict):
        return loaded[choose(list(loaded), path)]
    if wanted_split(path):
        raise RunnerError(f"`{path.name}` has no splits", f"leave out `#{wanted_split(path)}`")
    return loaded


def choose(names: list[str], path: Path) -> str:
    """The split that the path names, or the only one."""
    wanted = wanted_split(path)
    if not wanted and len(names) > 1:
        raise RunnerError(f"`{path.name}` has several splits", f"add `#SPLIT`, one of {', '.join(names)}")
    if wanted and wanted not in names:
        raise RunnerError(f"`{path.name}` has no split `{wanted}`", did_you_mean(wanted, names))
    return wanted or names[0]


def arrow_batches(rows: Any, path: Path) -> Iterator[pa.RecordBatch]:
    """The rows with their numbers as lines."""
    import pyarrow as pa

    if LINE in rows.column_names:
        raise RunnerError(f"`{path.name}`: the column name `{LINE}` is reserved", "rename the column")
    if not len(rows):
        raise RunnerError(f"`{path.name}` has no rows")
    labels = {name: kind.names for name, kind in rows.features.items() if hasattr(kind, "names")}
    start = 0
    for table in rows.with_format("arrow").iter(BATCH):
        columns = {name: named(table[name], labels.get(name)) for name in table.column_names}
        columns[LINE] = pa.array(range(start + 1, start + table.num_rows + 1), pa.int64())
        start += table.num_rows
        for part in slices(pa.table(columns)):
            yield from part.combine_chunks().to_batches()


def named(column: Any, names: list[str] | None) -> Any:
    """A column of class numbers as names; -1, which stands for a hidden label, as null."""
    import pyarrow as pa

    if names is None:
        return column
    return pa.array(
        [None if number is None or number < 0 else names[number] for number in column.to_pylist()], pa.string()
    )
