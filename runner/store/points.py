"""Points of curves between records and narrow tables: a list a column, an entry a record, until they become rows."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from runner.store.records import task_metric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.int64]

RECORD = ("run", "attempt", "time", "step", "split", "layout")


class Points:
    """Records of metrics in the order of reading; a layout is which split and metrics a record has."""

    def __init__(self) -> None:
        self.runs: dict[str, int] = {}
        self.splits: dict[str, int] = {}
        self.names: dict[tuple[str, str, str], int] = {}
        self.layouts: dict[tuple[str, ...], int] = {}
        self.inside: list[list[int]] = []
        self.records = array("q")
        self.epochs: list[float | None] = []
        self.values: list[float | None] = []

    def add(
        self,
        run: str,
        attempt: int,
        time: int,
        step: int,
        epoch: float | None,
        split: str,
        values: Mapping[str, float | None],
    ) -> None:
        """One record: `values` by `task.metric`; the time in microseconds since 1970."""
        layout = self.layouts.get((split, *values))
        if layout is None:
            layout = self.learn(split, values)
        place = self.runs.setdefault(run, len(self.runs))
        self.records.extend((place, attempt, time, step, self.splits[split], layout))
        self.epochs.append(epoch)
        self.values.extend(values.values())

    def learn(self, split: str, values: Mapping[str, Any]) -> int:
        """The number of a layout that was not seen yet."""
        self.splits.setdefault(split, len(self.splits))
        self.inside.append([self.names.setdefault((split, *task_metric(name)), len(self.names)) for name in values])
        return self.layouts.setdefault((split, *values), len(self.layouts))

    def rows(self, run_ids: Numbers, metric_ids: Numbers) -> pa.Table:
        """Rows of `points`; of those that agree in run, metric and step only the last."""
        import numpy as np
        import pyarrow as pa

        run, attempt, time, step, split, layout = np.frombuffer(self.records, np.int64).reshape(-1, len(RECORD)).T
        sizes = np.array([len(names) for names in self.inside])
        inside = np.fromiter(chain.from_iterable(self.inside), np.int64, sizes.sum())
        record = np.repeat(np.arange(len(layout)), sizes[layout])
        begins = np.cumsum(sizes) - sizes, np.cumsum(sizes[layout]) - sizes[layout]
        metric = inside[np.arange(len(record)) - begins[1][record] + begins[0][layout][record]]
        rows = pa.table(
            {
                "run_id": run_ids[run][record].astype(np.int32),
                "metric_id": metric_ids[metric].astype(np.int32),
                "attempt": attempt[record],
                "time": pa.array(time[record], pa.timestamp("us")),
                "step": step[record],
                "epoch": pa.array(self.epochs, pa.float64()).take(pa.array(record)),
                "value": pa.array(self.values, pa.float64()),
            }
        )
        alone = last(run, step, split) is None and all(len({*names}) == len(names) for names in self.inside)
        kept = None if alone else last(run[record], metric, step[record])
        return rows if kept is None else rows.filter(pa.array(kept))


def last(*keys: Numbers) -> npt.NDArray[np.bool_] | None:
    """Which rows are the last of those with equal keys; None where no two are equal."""
    import numpy as np

    order = np.lexsort(keys)
    again = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    if not again.any():
        return None
    kept = np.ones(len(order), np.bool_)
    kept[order[:-1][again]] = False
    return kept
