"""New rows that an augmentation makes by itself: the number of processes changes nothing of them or of their account."""

from __future__ import annotations

import json

from runner import kinds
from runner.parts import slices
from runner.parts.augment._augmentation import Augmentation

TABLE = {"table": {"cat": ["tom", "puss"], "sat": ["stood"]}}
FIELDS = {"synonyms": TABLE, "insert_words": TABLE}


def test_workers_change_nothing(put, load_data, monkeypatch, tmp_path):
    ruled = [kind for kind in (kinds.pick("augment", name) for name in kinds.names("augment"))
             if issubclass(kind, Augmentation) and not kind.models]  # fmt: skip
    augment = [{"type": kind.kind, "copies": 2, **FIELDS.get(kind.kind, {})} for kind in ruled]
    augment += [{**augment[0], "columns": ["b"], "share": 0.4, "seed": 7}]
    rows = [{"a": f"The cat {i} sat. It ran!", "b": f"a dog {i * i} slept", "label": "xyz"[i % 3]} for i in range(60)]
    put("t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    put("v.csv", "a,b,label\nquite,different,x\n")
    monkeypatch.setattr(slices, "BYTES", 900)
    found = []
    for workers in ("1", "2", "3"):
        monkeypatch.setenv("RUNNER_WORKERS", workers)
        loaded = load_data(train="t.jsonl", validation="v.csv", inputs=("a", "b"), augment=augment)
        account = [{**facts, "seconds": 0} for facts in loaded.account]
        found.append((loaded.splits["train"].to_pylist(), account))
        (tmp_path / "cache" / "augment").rename(tmp_path / "cache" / f"augment-{workers}")
    assert found[0] == found[1] == found[2]
    made = {facts["step"]: facts["made"] for facts in found[0][1] if facts["stage"] == "augment"}
    assert len(made) == len(ruled) == 8 and min(made.values()) > 0
