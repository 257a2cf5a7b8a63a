"""From one record of a log to rows of tables: one small function an event.

A function returns (table, rows) pairs; a row has the table's columns in order, without `run` and `attempt`.
A record with a missing or impossible value raises LookupError, TypeError, ValueError or OverflowError before any row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from runner.store.log import encode

Record = dict[str, Any]
Row = tuple[Any, ...]
Rows = list[tuple[str, list[Row]]]


def run_started(record: Record) -> Rows:
    environment = record.get("environment") or {}
    identity = (
        *(text(record.get(name)) for name in ("name", "description")),
        whole(record.get("seed")),
        *(text(record.get(name)) for name in ("trial_key", "plan_key", "spec_file")),
        text(environment.get("git_commit")),
        flag(environment.get("git_dirty")),
        text(record.get("version")),
    )
    packages = environment.get("packages") or {}
    return [
        ("runs", [(*identity, None, None, None, None)]),
        ("specs", [(text(record.get("spec_text")), document(record.get("spec_resolved")))]),
        ("params", [param(name, value) for name, value in (record.get("params") or {}).items()]),
        ("packages", [(name, text(version)) for name, version in packages.items()]),
    ]


def stage(record: Record) -> Rows:
    row = (
        moment(record["time"]),
        text(record["name"]),
        word(record.get("key")),
        flag(record.get("cached")),
        text(record.get("reason")),
        whole(record.get("rows")),
        real(record.get("seconds")),
        document(record.get("detail")),
    )
    return [("stages", [row])]


def data(record: Record) -> Rows:
    words = (word(record.get(name)) for name in ("data", "split", "file"))
    return [("data", [(*words, text(record.get("sha256")), whole(record.get("rows")), whole(record.get("bytes")))])]


def dropped(record: Record) -> Rows:
    data, start, lines = word(record.get("data")), int(record["position"]), record["line"]
    words = [_column(record, name, len(lines), word) for name in ("split", "file")]
    more = [_column(record, name, len(lines), word) for name in ("id", "step", "reason", "twin")]
    flags, texts = _column(record, "flagged", len(lines), flag), _column(record, "text", len(lines), text)
    columns = zip(*words, map(whole, lines), *more, flags, texts, strict=True)
    return [("dropped_rows", [(data, start + at, *cells) for at, cells in enumerate(columns)])]


def metrics(record: Record) -> Rows:
    time, step, epoch = moment(record["time"]), whole(record["step"]), real(record.get("epoch"))
    if step is None:
        raise ValueError("a metric without step")
    values = {name: real(value) for name, value in record["values"].items()}
    return [("metrics", [(time, step, epoch, word(record.get("split")), values)])]


def scores(record: Record) -> Rows:
    split, model = word(record.get("split")), word(record["model"])
    numbered = enumerate(record["rows"], whole(record.get("first")) or 0)
    rows = {(word(row.get("task")), word(row["metric"])): (at, row) for at, row in numbered}
    return [("scores", [(split, model, *key, at, *_score(row)) for key, (at, row) in rows.items()])]


def group_scores(record: Record) -> Rows:
    place = [word(record.get(name)) for name in ("split", "task", "by_column")]
    rows = {(word(row["group_name"]), word(row["metric"])): row for row in record["rows"]}
    return [("group_scores", [(*place, *key, *_group_score(row)) for key, row in rows.items()])]


def answers(record: Record) -> Rows:
    split, task, ids = word(record.get("split")), word(record.get("task")), record["ids"]
    texts = [_column(record, name, len(ids), text) for name in ("gold", "predicted")]
    numbers = [_column(record, name, len(ids), real) for name in ("confidence", "gold_probability")]
    columns = zip([text(i) for i in ids], *texts, *numbers, _column(record, "text", len(ids), text), strict=True)
    shape = text(record.get("shape"))
    labels = record.get("labels") or []
    return [
        ("answers", [(split, task, position, *cells, shape) for position, cells in enumerate(columns)]),
        ("labels", [(task, position, text(label)) for position, label in enumerate(labels)]),
    ]


def samples(record: Record) -> Rows:
    split, task, model = (word(record.get(name)) for name in ("split", "task", "model"))
    ids = record["ids"]
    texts = [_column(record, name, len(ids), text) for name in ("prompt", "gold", "text")]
    more = [_column(record, "tokens", len(ids), whole), _column(record, "ended", len(ids), flag)]
    columns = zip([text(i) for i in ids], *texts, *more, strict=True)
    return [("samples", [(split, task, model, position, *cells) for position, cells in enumerate(columns)])]


def judgements(record: Record) -> Rows:
    words = [word(record.get(name)) for name in ("split", "task", "model", "judge", "fingerprint", "criterion")]
    ids = record["ids"]
    columns = zip([text(i) for i in ids], _column(record, "value", len(ids), real),
                  _column(record, "raw", len(ids), text), strict=True)  # fmt: skip
    return [("judgements", [(*words, position, *cells) for position, cells in enumerate(columns)])]


def artifact(record: Record) -> Rows:
    words = (word(record.get(name)) for name in ("name", "path"))
    return [("artifacts", [(moment(record["time"]), *words, text(record.get("sha256")), whole(record.get("bytes")))])]


def failure(record: Record) -> Rows:
    texts = (text(record.get(name)) for name in ("kind", "message", "trace"))
    return [("failures", [(moment(record["time"]), *texts, whole(record.get("step")))])]


def review(record: Record) -> Rows:
    names = ("task", "split", "id", "reviewer", "criterion", "other", "verdict")
    words = [word(record.get(name)) for name in names]
    said = real(record.get("value")), word(record.get("note")), real(record.get("seconds"))
    return [("reviews", [(moment(record["time"]), *words, *said)])]


def grid(record: Record) -> Rows:
    words = text(record["grid"]), text(record.get("grid_key")), whole(record.get("position"))
    return [("grid_trials", [(moment(record["time"]), *words, document(record.get("point")))])]


def run_finished(record: Record) -> Rows:
    """No rows: the end of an attempt is kept with the attempt."""
    return []


def other(record: Record) -> Rows:
    return [("other_events", [(moment(record["time"]), text(record["event"]), document(record))])]


EVENTS: dict[str, Callable[[Record], Rows]] = {
    function.__name__: function
    for function in (
        run_started,
        stage,
        data,
        dropped,
        metrics,
        scores,
        group_scores,
        answers,
        samples,
        judgements,
        artifact,
        failure,
        review,
        grid,
        run_finished,
    )
}


def rows(record: Record) -> Rows:
    """What one record says, as rows of tables."""
    return EVENTS.get(record["event"], other)(record)


def param(name: str, value: Any) -> Row:
    """A value of the spec as (name, text, number, kind)."""
    number = real(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return name, text(value), number, _KINDS[type(value)]


def task_metric(name: str) -> tuple[str, str]:
    """`task.metric` split at its first dot; what has none concerns all tasks."""
    task, dot, metric = name.partition(".")
    return (task, metric) if dot else ("", name)


def text(value: Any) -> str | None:
    """Strings as they are, null as null, anything else as JSON."""
    return value if value is None or isinstance(value, str) else encode(value)


def word(value: Any) -> str:
    """Like `text`, but part of a key: null becomes an empty string."""
    return text(value) or ""


def document(value: Any) -> str | None:
    """A value as strict JSON, null as null."""
    return None if value is None else encode(value)


def whole(value: Any) -> int | None:
    """A 64-bit integer or null."""
    if value is None:
        return None
    number = int(value)
    if number != value or not -(2**63) <= number < 2**63:
        raise ValueError(f"not a 64-bit integer: {value!r}")
    return number


def real(value: Any) -> float | None:
    """A float or null; the strings of non-finite numbers are read back."""
    return None if value is None else float(value)


def flag(value: Any) -> bool | None:
    """A boolean or null."""
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"not a boolean: {value!r}")
    return value


def moment(value: Any) -> int:
    """Unix seconds as microseconds, in the years 1970-9999."""
    if not 0 <= value < 253_402_300_800:
        raise ValueError(f"not a time: {value!r}")
    return int(value * 1_000_000)


_KINDS = {
    int: "integer",
    float: "float",
    bool: "boolean",
    str: "string",
    list: "list",
    dict: "table",
    type(None): "null",
}


def _score(row: Record) -> Row:
    return real(row["value"]), real(row.get("low")), real(row.get("high")), whole(row.get("n"))


def _group_score(row: Record) -> Row:
    return whole(row.get("position")), *_score(row), flag(row.get("enough"))


def _column(record: Record, name: str, length: int, read: Callable[[Any], Any]) -> Iterable[Any]:
    """A column of answers; one that is absent is null all the way."""
    values = record.get(name)
    if values is None:
        return [None] * length
    if len(values) != length:
        raise ValueError(f"`{name}` has {len(values)} values for {length} ids")
    return [read(value) for value in values]
