"""A tiny encoder, a tiny data set and a spec over both: a whole run in seconds."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runner.cache.cache import Cache
from runner.data.load import Loaded, load
from runner.spec.tables import Data

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

GOOD = ["good", "great", "happy", "love", "fine", "nice", "superb", "sweet"]
BAD = ["bad", "awful", "sad", "hate", "poor", "nasty", "dreadful", "sour"]
FILL = ["the", "a", "day", "film", "book", "was", "is", "and", "it", "we", "saw", "today"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *GOOD, *BAD, *FILL]

TINY = """
name = "tiny"
seed = 13

[model]
base = "./encoder"
max_length = 16

[data.films]
train = "train.csv"
validation = "validation.csv"
test = "test.csv"

[tasks.mood]
type = "classification"
data = ["films"]

[tasks.length]
type = "classification"
data = ["films"]
target = "size"

[train]
epochs = 3
batch_size = 8
learning_rate = 5e-3
precision = "fp32"

[evaluate]
resamples = 100

[execute]
threads = 1
"""


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 2 layers, 16 wide, with random weights and a word tokenizer."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("model") / "encoder"
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    special = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=special
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def rows(count: int, start: int = 0) -> list[dict[str, str]]:
    """Films whose mood follows from one word; lengths from 3 to 14 words."""
    made = []
    for index in range(start, start + count):
        good = index % 3 > 0
        length = 3 + index * 7 % 12
        words = [FILL[(index * 5 + place * 3) % len(FILL)] for place in range(length)]
        words[(index + 1) % length] = sha256(bytes([index % 256])).hexdigest()[:10]  # no two texts are nearly the same
        words[index % length] = (GOOD if good else BAD)[index * 3 % 8]
        size = "long" if length > 8 else "short"
        made.append({"text": " ".join(words), "label": "good" if good else "bad", "size": size})
    return made


def write_csv(file: Path, table: list[dict[str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]))
        writer.writeheader()
        writer.writerows(table)


@pytest.fixture
def tiny(tmp_path: Path, encoder: Path) -> Path:
    """A spec over 64 rows; its folder is the test's own."""
    write_csv(tmp_path / "train.csv", rows(64))
    write_csv(tmp_path / "validation.csv", rows(16, 64))
    write_csv(tmp_path / "test.csv", rows(24, 80))
    (tmp_path / "encoder").symlink_to(encoder)
    spec = tmp_path / "tiny.toml"
    spec.write_text(TINY, encoding="utf-8")
    return spec


def events(results: Path, run: str) -> list[dict[str, object]]:
    """All records of a run's log."""
    lines = (results / "runs" / run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny models that write: `masked`, `seq2seq`, `causal`, `chat` and `encoder`."""
    from tests.writers import build

    return build(tmp_path_factory.mktemp("writers"))


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
def load_data(tmp_path: Path, cache: Cache) -> Callable[..., Loaded]:
    """Load a data set whose files lie in the test's folder."""

    def load_data(inputs: tuple[str, ...] = ("text",), targets: tuple[str, ...] = ("label",), **fields: Any) -> Loaded:
        return load("toy", Data.model_validate(fields), tmp_path, inputs, targets, cache)

    return load_data
