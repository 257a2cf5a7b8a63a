"""Load a model and its tokenizer for writing or comparing texts: float32, in eval mode, all weights there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.errors import RunnerError

CLASSES = {
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "encoder": "AutoModel",
}


def load(place: Path, kind: str) -> tuple[Any, Any]:
    """Model and tokenizer of a folder or GGUF file; RunnerError where they don't load whole."""
    import torch
    import transformers
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    packed = place.suffix == ".gguf"
    folder, more = (place.parent, {"gguf_file": place.name}) if packed else (place, {})
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **more)
        model, report = getattr(transformers, CLASSES[kind]).from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, **more
        )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        said = str(error).partition("\n")[0]
        raise RunnerError(f"the model in `{place}` does not load: {said}", "download it again") from error
    missing = sorted(name for name in report["missing_keys"] if "pooler" not in name)
    if missing:
        raise RunnerError(
            f"the model in `{place}` lacks {len(missing)} weights, such as `{missing[0]}`", "choose another model"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.requires_grad_(False).eval().to(device), tokenizer


def writes(place: Path) -> str:
    """Whether a model that writes is "seq2seq" or "causal", as its config says."""
    if place.suffix == ".gguf":
        return "causal"
    config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    return "seq2seq" if config.get("is_encoder_decoder") else "causal"


def longest(model: Any, tokenizer: Any) -> int:
    """Tokens that the model takes at most, as its config or tokenizer says; a million where neither does."""
    config = model.config
    limits = [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions")]
    limits.append(tokenizer.model_max_length)
    return int(min([each for each in limits if each and each > 0] + [1_000_000]))
