"""TensorBoard: an event file a run, with its curves, final scores, spec, and parameters for the page of these.

FOLDER/RUN/events.out.tfevents.0.runner
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import RunnerError
from runner.store.elsewhere import elsewhere
from runner.store.export import Moment
from runner.store.formats._points import Point, points

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

FILE = "events.out.tfevents.0.runner"
ABOUT = """
    SELECT coalesce(epoch_us(r.started) / 1e6, 0) AS started, coalesce(s.text, '') AS spec
    FROM chosen c LEFT JOIN runs r ON r.run = c.run LEFT JOIN specs s ON s.run = c.run WHERE c.run = $run
"""
PARAMS = "SELECT name, value, number, kind FROM params WHERE run = $run ORDER BY name"


def write(moment: Moment, target: str) -> dict[str, int]:
    """Write the file of each chosen run anew, in place of what an earlier export wrote."""
    place = elsewhere(target)
    if not place.local:
        raise RunnerError(f"TensorBoard's files go to a folder, not to `{target}`", "export to a folder and copy that")
    count = 0
    for run, _, _ in moment.runs:
        found = points(moment, run)
        put(Path(place.folder) / run, summaries(moment, run, found))
        count += len(found)
    return {"points": count}


def put(folder: Path, events: Iterator[Event]) -> None:
    """Write the file of a run beside, then rename it, so that TensorBoard never reads half of one."""
    from tensorboard.summary.writer.record_writer import RecordWriter

    beside = folder / ".runner.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as stream:
            writer = RecordWriter(stream)
            for event in events:
                writer.write(event.SerializeToString())
        os.replace(beside, folder / FILE)
    except OSError as error:
        raise RunnerError(f"cannot write `{folder}`: {error}", "free some space, or name another folder") from error


def summaries(moment: Moment, run: str, found: list[Point]) -> Iterator[Event]:
    """All that the file says: what it is, parameters and spec, then the points in their order."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
    except ImportError:
        raise RunnerError(
            "TensorBoard's files need the package `tensorboard`", "`pip install 'runner[tensorboard]'`"
        ) from None
    (about,) = moment.rows(ABOUT, run=run)
    yield Event(wall_time=about["started"], file_version="brain.Event:2")
    yield Event(wall_time=about["started"], step=0, summary=settings(moment, run, about["started"]))
    yield Event(wall_time=about["started"], step=0, summary=spec(about["spec"]))
    for name, step, time, value in found:
        yield Event(wall_time=time, step=step, summary=Summary(value=[Summary.Value(tag=name, simple_value=value)]))


def settings(moment: Moment, run: str, started: float) -> Summary:
    """The values of the spec, as TensorBoard's page of hyper-parameters wants them."""
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    values = {row["name"]: setting(**row) for row in moment.rows(PARAMS, run=run)}
    return hparams_pb(values, trial_id=run, start_time_secs=started)


def setting(name: str, value: str | None, number: float | None, kind: str) -> Any:
    """A value as one of its types: number, truth or text."""
    if number is not None:
        return number
    return value == "true" if kind == "boolean" else value or ""


def spec(text: str) -> Summary:
    """The spec as written, to be shown as it is."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.text.metadata import create_summary_metadata
    from tensorboard.util.tensor_util import make_tensor_proto

    shown = "".join(f"    {line}\n" for line in text.splitlines())
    about = create_summary_metadata("spec", "The spec as written.")
    return Summary(value=[Summary.Value(tag="spec", metadata=about, tensor=make_tensor_proto(shown))])
