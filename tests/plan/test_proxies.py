"""Proxies in a spec: what they name must be there; what they leave out changes no trial that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cache.cache import Cache
from runner.errors import Diagnostic, SpecError
from runner.parts.tasks._generate import Generate
from runner.plan.check import Checker
from runner.spec.read import read
from tests.run.test_language import LLAMA, written

TEXTS = """
[tasks.said]
type = "causal_lm"
data = ["films"]

[tasks.said.generate]
metrics = ["chrf"]
proxies = [{}]
"""


def faults(folder: Path, proxies: str) -> tuple[Diagnostic, ...]:
    spec = written(folder, "told", LLAMA, TEXTS.format(proxies))
    with pytest.raises(SpecError) as error:
        Checker(Cache(folder / "cache")).check(read(spec))
    return error.value.diagnostics


def test_a_model_of_the_wrong_kind_and_a_missing_file_are_told(tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "encoder").symlink_to(encoder)
    fluency, toxicity = faults(
        tmp_path, '{ type = "fluency", base = "./encoder" }, { type = "toxicity", words = "no.txt" }'
    )
    assert fluency.message == "`./encoder` is an encoder" and "a causal language model" in fluency.hint
    assert fluency.path == ("tasks", "said", "generate", "proxies", 0, "base")
    assert toxicity.message == "`no.txt` does not exist"


def test_two_proxies_need_two_names(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, '{ type = "length" }, { type = "length" }')
    assert fault.message == "two proxies are called `proxy_length`"


def test_a_task_that_writes_nothing_takes_no_table_of_generation(tmp_path: Path) -> None:
    task = '[tasks.said]\ntype = "classification"\ndata = ["films"]\n[tasks.said.generate]\nproxies = [{ type = "length" }]\n'
    with pytest.raises(SpecError) as error:
        read(written(tmp_path, "told", LLAMA, task))
    assert [each.code for each in error.value.diagnostics] == ["unknown-key"]


def test_without_proxies_a_trial_reads_what_it_always_read() -> None:
    assert "proxies" not in Generate().used()
    assert "proxies" in Generate.model_validate({"proxies": [{"type": "length"}]}).used()
