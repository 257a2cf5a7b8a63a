"""Proxies over texts that runs wrote: a row a text, their means as scores, beside the base before training; a gate on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.report.results import page
from runner.run.reporting import facts as reported
from runner.run.scorecard import facts
from runner.store.query import query
from tests.parts.judged import fake
from tests.run.test_language import LLAMA, carried, scored, written

TEXTS = """
[tasks.said]
type = "causal_lm"
data = ["films"]

[tasks.said.generate]
max_tokens = 6
rows = 5
prompt_tokens = 3
metrics = ["chrf"]
proxies = [
  { type = "novelty" },
  { type = "relevance", base = "./encoder" },
  { type = "coherence", base = "./encoder" },
  { type = "length" },
  { type = "pattern", name = "letters", expression = "[a-z ]*" },
]

[evaluate.require]
proxy_novelty = { at_least = 0.0, with = "lower_bound" }
proxy_length = { at_most = 0.5 }
proxy_coherence = { at_least = 0.0 }
"""


@pytest.mark.slow
def test_proxies_of_a_run_are_rows_scores_and_criteria(tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "encoder").symlink_to(encoder)
    results = tmp_path / "results"
    spec = written(tmp_path, "told", LLAMA, TEXTS)
    spec.write_text(spec.read_text(encoding="utf-8").replace("\n[evaluate]\nresamples = 100\n", "\n"), encoding="utf-8")
    done = carried(spec, results)
    found = query(
        results, "SELECT criterion, id, value, raw, judge, fingerprint FROM judgements ORDER BY criterion, position"
    ).to_pylist()
    assert [row["id"] for row in found[:5]] == [
        row["id"] for row in query(results, "SELECT id FROM samples ORDER BY position").to_pylist()
    ]
    assert len(found) == 25 and all(row["fingerprint"] for row in found)
    assert {row["judge"] for row in found} == {
        f"proxy {kind}" for kind in ("novelty", "relevance", "coherence", "length", "pattern")
    }
    lengths = [row["value"] for row in found if row["criterion"] == "proxy_length"]
    assert scored(done)["said", "proxy_length"] == pytest.approx(sum(lengths) / 5)
    text = page(reported(results, [done["run"]]))
    assert "proxy_novelty" in text and "stands in for a reader" in text
    card = {row["criterion"]: row["verdict"] for row in facts(results, done["run"])["criteria"]}
    assert card["said.proxy_length"] == "fail" and card["said.proxy_novelty"] == "pass"


@pytest.mark.slow
def test_a_judge_behind_a_url_is_rows_and_scores_too(tmp_path: Path) -> None:
    spoken = '{"clarity": 4}'
    with fake(lambda at, body: spoken if at % 2 else "well, good") as server:
        judge = f'judges = [{{ type = "endpoint", url = "{server.url}", model = "m", criteria = {{ clarity = "Clear." }} }}]'
        start, end = TEXTS.index("proxies = ["), TEXTS.index("[evaluate.require]")
        done = carried(written(tmp_path, "told", LLAMA, TEXTS[:start] + judge), tmp_path / "results")
        asked = len(server.asked)
    assert end > start and asked == 5
    assert scored(done)["said", "judge_clarity"] == 4 and scored(done)["said", "judge_unreadable"] == 3 / 5
    found = query(
        tmp_path / "results", "SELECT judge, criterion, value, raw FROM judgements ORDER BY criterion, position"
    ).to_pylist()
    assert [row["value"] for row in found] == [None, 4, None, 4, None, 1, 0, 1, 0, 1]
    assert {row["judge"] for row in found} == {"endpoint m"} and {row["raw"] for row in found} == {spoken, "well, good"}
