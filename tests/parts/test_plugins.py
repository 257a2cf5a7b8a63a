"""A metric of a third party: listed by its entry point, loaded when a spec names it, scored like our own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = '''
"""Metrics of somebody else."""
from typing import ClassVar, Literal

from runner.kinds import Part
from runner.parts.metrics._metric import Metric
from runner.answers.resamples import ratio


class ErrorRate(Metric):
    """Share of wrong answers."""

    kind: ClassVar[str] = "error_rate"
    higher_is_better: ClassVar[bool] = False
    type: Literal["error_rate"] = "error_rate"

    def values(self, resamples):
        return 1 - ratio(resamples.hits.sum(1), resamples.gold.sum(1))


class PlainAccuracy(Part):
    """Share of right answers, one sample at a time."""

    kind: ClassVar[str] = "plain_accuracy"
    type: Literal["plain_accuracy"] = "plain_accuracy"

    def score(self, answers):
        return {"": float((answers.gold == answers.predicted).mean())}


class Hits(Part):
    """Right answers of each label that has any."""

    kind: ClassVar[str] = "hits"
    type: Literal["hits"] = "hits"

    def score(self, answers):
        right = answers.gold[answers.gold == answers.predicted].tolist()
        return {label: float(right.count(code)) for code, label in enumerate(answers.labels) if code in right}
'''
POINTS = """
[runner.metrics]
error_rate = foreign:ErrorRate
plain_accuracy = foreign:PlainAccuracy
hits = foreign:Hits
broken = foreign_broken:Nothing
"""
PROGRAM = """
import json, sys
import numpy as np
from pathlib import Path
from runner import kinds
from runner.errors import SpecError
from runner.evaluate.measure import measure
from runner.answers.choices import Choices
from runner.spec.read import read

listed = kinds.names("metrics")
early = "foreign" in sys.modules
names = ["accuracy", "error_rate", "plain_accuracy", "hits"]
spec = read(Path("named.toml"))
try:
    read(Path("typo.toml"))
except SpecError as error:
    hint = error.diagnostics[0].hint
gold, predicted = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0])
answers = Choices("mood", "test", ("a", "b"), tuple("1234"), gold, predicted, np.eye(2)[predicted])
print(json.dumps({
    "listed": listed,
    "early": early,
    "picked": [kinds.pick("metrics", name).__name__ for name in names],
    "broken": "foreign_broken" in sys.modules,
    "named": spec.experiment.tasks["mood"].metrics,
    "hint": hint,
    "measures": {one.metric: [one.value, one.low, one.high, one.n] for one in measure(answers, names)},
}))
"""
SPEC = """
name = "named"
[model]
base = "package:x"
[data.films]
train = "films.csv"
[tasks.mood]
type = "classification"
data = ["films"]
metrics = ["{name}", "accuracy"]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a fresh process finds where the package of a third party is installed."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "foreign.py").write_text(FOREIGN, encoding="utf-8")
    (folder / "foreign_broken.py").write_text("raise ImportError('nobody asked for this')", encoding="utf-8")
    info = folder / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    for file, name in (("named", "error_rate"), ("typo", "eror_rate")):
        (folder / f"{file}.toml").write_text(SPEC.format(name=name), encoding="utf-8")
    path = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_foreign_metrics_are_listed_among_our_own(found):
    assert {"error_rate", "plain_accuracy", "hits", "broken", "accuracy"} <= set(found["listed"])
    assert found["listed"] == sorted(found["listed"])


def test_listing_imports_no_foreign_module(found):
    assert found["early"] is False
    assert found["broken"] is False


def test_picking_loads_the_class_behind_the_entry_point(found):
    assert found["picked"] == ["Accuracy", "ErrorRate", "PlainAccuracy", "Hits"]


def test_a_spec_may_name_a_foreign_metric(found):
    assert found["named"] == ["error_rate", "accuracy"]


def test_a_typo_is_answered_with_the_foreign_word(found):
    assert found["hint"].startswith("did you mean `error_rate`?")


def test_a_foreign_metric_is_scored_with_its_interval(found):
    value, low, high, n = found["measures"]["error_rate"]
    assert (value, n) == (0.25, 4)
    assert (low, high) == pytest.approx((0.0, 0.856891), abs=1e-6)


def test_a_metric_that_only_offers_score_gets_the_same_interval(found):
    assert found["measures"]["plain_accuracy"] == found["measures"]["accuracy"]


def test_a_metric_that_only_offers_score_may_have_keys(found):
    assert {key: each[0] for key, each in found["measures"].items() if key.startswith("hits")} == {
        "hits.a": 2.0,
        "hits.b": 1.0,
    }
    assert found["measures"]["hits.a"] == [2.0, 1.0, 4.0, 4]
