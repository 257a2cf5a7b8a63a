"""The account of preparation in a run's log: a stage record for each step, and the rows that were dropped."""

from __future__ import annotations

from itertools import islice

from runner.data.load import Dropped, Loaded
from runner.run.work import Work

AT_ONCE = 1000


def accounted(work: Work) -> None:
    """Record what the preparation of each data set did; the check did it, or found it in the cache."""
    for name, loaded in work.checked.loaded.items():
        for stage in loaded.stages:
            rows, seconds = stage.built
            with work.stage(stage.step(name), rows, seconds=seconds, cached=not stage.fresh) as detail:
                account = [{key: facts[key] for key in facts if key != "samples"} for facts in stage.account]
                detail["account"] = account
        dropped(work, name, loaded)


def dropped(work: Work, name: str, loaded: Loaded) -> None:
    """Record the rows that were dropped or flagged, a thousand a record."""
    rows = loaded.dropped()
    position = 0
    while part := list(islice(rows, AT_ONCE)):
        columns = zip(*part, strict=True)
        fields = dict(zip(Dropped._fields, map(list, columns), strict=True))
        work.log.write("dropped", data=name, position=position, **fields)
        position += len(part)
