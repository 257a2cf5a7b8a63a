"""Files, data sets and a small tokenizer for the tests of `runner.data`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.data.cache import Cache
from runner.data.load import Loaded, load
from runner.spec.tables import Data

WORDS = ["the", "a", "cat", "dog", "sat", "on", "mat", "ran", "far", "away"]
Load = Callable[..., Loaded]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


@pytest.fixture
def load_data(tmp_path: Path, cache: Cache) -> Load:
    """Load a data set whose files lie in the test's folder."""

    def load_data(inputs: tuple[str, ...] = ("text",), targets: tuple[str, ...] = ("label",), **fields: Any) -> Loaded:
        return load("toy", Data.model_validate(fields), tmp_path, inputs, targets, cache)

    return load_data


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
