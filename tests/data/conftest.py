"""Real data sets and a small tokenizer for the tests of `runner.data`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

WORDS = ["the", "a", "cat", "dog", "sat", "on", "mat", "ran", "far", "away"]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("RUNNER_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}; set RUNNER_DATA")
    return folder


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A word tokenizer in BERT's manner, whose file asks for cutting and padding as those of models do."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {token: number for number, token in enumerate([*marks, *WORDS, *(f"##{c}" for c in "abcdefghij")])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=5)
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path
