"""Language models that two processes train: heads over the vocabulary, references, decoders, an adapter a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.test_company import apart, done
from tests.run.test_language import KINDS, LLAMA, TEXTS, written

pytestmark = pytest.mark.slow

LORA = LLAMA.replace("max_length", 'adapter = { type = "lora", rank = 2 }\nmax_length', 1)
CASES = {
    "seq2seq": ("fsdp", KINDS["seq2seq"]),
    "masked": ("fsdp", KINDS["masked"]),
    "texts": ("fsdp", (LLAMA, TEXTS)),
    "preference": ("fsdp", KINDS["preference"]),
    "preference by an adapter": ("fsdp", (LORA, KINDS["preference"][1])),
    "an adapter a task": ("ddp", KINDS["apart"]),
}


@pytest.mark.parametrize("case", CASES)
def test_they_end_where_those_of_one_process_do(tmp_path: Path, encoder: Path, case: str) -> None:
    strategy, tables = CASES[case]
    (tmp_path / "encoder").symlink_to(encoder)
    spec = written(tmp_path, "language", *tables)
    one = spec.read_text(encoding="utf-8").replace("batch_size = 8", "batch_size = 6\naccumulate = 2")
    one = one.replace("learning_rate = 1e-2", "learning_rate = 1e-3")
    two = one.replace("accumulate = 2", f'accumulate = 2\ndevices = 2\nstrategy = "{strategy}"')
    results = []
    for name, text in (("alone", one), ("both", two)):
        spec.write_text(text, encoding="utf-8")
        results.append(done(spec, tmp_path / name))
    assert apart(*results) < 1e-6
