"""A tokenizer's file, opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.errors import RunnerError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def tokenizer(tokenizer_file: Path) -> Tokenizer:
    """The tokenizer of a file, without the cutting and padding that the file may ask for."""
    from tokenizers import Tokenizer

    try:
        found = Tokenizer.from_file(str(tokenizer_file))
    except Exception as error:  # tokenizers raises nothing more special
        message = f"`{tokenizer_file}` is no tokenizer that can be read: {error}"
        raise RunnerError(message, "name the model's tokenizer.json") from error
    found.no_truncation()
    found.no_padding()
    return found
