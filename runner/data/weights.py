"""Weights that are no plain folder made into one, in the cache: a GGUF file, a run with an adapter, a fresh model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash
from runner.data.models import model_hash
from runner.errors import RunnerError, did_you_mean

VERSION = 1
STAGE = "model"
SPECIAL = ["<pad>", "<s>", "</s>"]
ABOUT = "heads.json"
ADAPTER = "adapter_config.json"


def unpacked(file: Path, cache: Cache) -> Path:
    """A GGUF file as a folder of safetensors in float32, with its tokenizer and chat template."""
    why = {"gguf": content_hash(file, cache), "version": VERSION}

    def build(entry: Path) -> Mapping[str, Any]:
        from runner.parts.augment._models import load

        model, tokenizer = load(file, "causal")
        for owner, name in ((model.config, "quantization_config"), (model, "hf_quantizer")):
            if hasattr(owner, name):
                delattr(owner, name)  # that of the file, which the weights no longer have
        model.cpu().save_pretrained(entry)
        tokenizer.save_pretrained(entry)
        return {}

    return made(build, why, cache)


def of_run(name: str, cache: Cache) -> Path:
    """The model folder of a run by its name or a unique beginning of it; where it has an adapter, with that merged."""
    runs = cache.folder.parent / "runs"
    known = sorted(each.parents[1].name for each in runs.glob(f"*/model/{ABOUT}"))
    found = [each for each in known if each == name] or [each for each in known if each.startswith(name)]
    if not found:
        raise RunnerError(f"no finished run `{name}` in `{runs}`", did_you_mean(name, known))
    if len(found) > 1:
        raise RunnerError(f"several runs begin with `{name}`", f"write one of {', '.join(found[:5])}")
    folder = runs / found[0] / "model"
    adapter = json.loads((folder / ABOUT).read_bytes())["model"].get("adapter") or {}
    if adapter.get("per_task") or "tokens" in adapter:
        why = "virtual tokens, which are no weights" if "tokens" in adapter else "adapters of their own for each task"
        raise RunnerError(f"`{found[0]}` was trained with {why}", "name a run without an adapter, or with LoRA")
    return merged(folder, cache) if (folder / ADAPTER).is_file() else folder


def merged(folder: Path, cache: Cache) -> Path:
    """A trunk with the adapter of a run's folder in its weights."""
    about = json.loads((folder / ABOUT).read_bytes())
    base = Path(about["base"])
    if not base.is_dir():
        raise RunnerError(
            f"the run in `{folder}` was trained on `{base}`, which is gone", "bring it back, or train anew"
        )
    why = {"run": model_hash(folder, cache), "base": model_hash(base, cache), "version": VERSION}

    def build(entry: Path) -> Mapping[str, Any]:
        import torch
        import transformers
        from peft import PeftModel

        trunk = getattr(transformers, about.get("class", "AutoModel")).from_pretrained(base, dtype=torch.float32)
        whole: Any = PeftModel.from_pretrained(trunk, folder)
        whole.merge_and_unload().save_pretrained(entry)
        copied(folder, entry)
        return {}

    return made(build, why, cache)


def copied(folder: Path, entry: Path) -> None:
    """All that belongs to the tokenizer."""
    import shutil

    for file in folder.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "vocab", "merges", "chat_template")):
            shutil.copyfile(file, entry / file.name)


def fresh(
    config: Mapping[str, Any], vocabulary: int, texts: Callable[[], Iterable[str]], rows: Any, cache: Cache
) -> Path:
    """An untrained model of a config, with a tokenizer (byte-level BPE) of these texts; `rows` tells them apart."""
    why = {"config": dict(config), "vocabulary": vocabulary, "rows": rows, "version": VERSION}

    def build(entry: Path) -> Mapping[str, Any]:
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        tokenizer = learned(vocabulary, texts())
        untrained(config, tokenizer.get_vocab_size(), entry)
        tokenizer.save(str(entry / "tokenizer.json"))
        words = dict(zip(("pad_token", "bos_token", "eos_token"), SPECIAL, strict=True))
        about = {"tokenizer_class": "PreTrainedTokenizerFast", **words}
        (entry / "tokenizer_config.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
        return {}

    return made(build, why, cache)


def learned(vocabulary: int, texts: Iterable[str]) -> Any:
    """A tokenizer of byte pairs (Sennrich and others 2016, arXiv:1508.07909) that loses nothing of any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return made


def untrained(config: Mapping[str, Any], tokens: int, entry: Path) -> None:
    """Weights as their architecture draws them; RunnerError for what the architecture does not know."""
    import torch
    import transformers

    library: Any = transformers
    name = config.get("model_type")
    kinds = library.CONFIG_MAPPING
    if name not in kinds:
        raise RunnerError(f"no architecture `{name}`", did_you_mean(str(name), list(kinds)))
    plain = kinds[name]()
    unknown = [key for key in config if key != "model_type" and key not in plain.to_dict()]
    if unknown:
        raise RunnerError(f"`{name}` has no setting `{unknown[0]}`", did_you_mean(unknown[0], list(plain.to_dict())))
    marks = {"vocab_size": tokens, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    if plain.is_encoder_decoder:
        marks["decoder_start_token_id"] = 0
    torch.manual_seed(0)
    try:
        built = kinds[name](**{**config, **marks})
        kind = library.AutoModelForSeq2SeqLM if plain.is_encoder_decoder else library.AutoModelForCausalLM
        model = kind.from_config(built, dtype=torch.float32)
    except Exception as error:  # whatever an architecture raises, it is about these settings
        raise RunnerError(
            f"no `{name}` can be built so: {str(error).partition(chr(10))[0]}", "mend `config`"
        ) from error
    model.save_pretrained(entry)


def made(build: Callable[[Path], Mapping[str, Any]], why: Mapping[str, Any], cache: Cache) -> Path:
    """The entry."""
    return cache.make(STAGE, fingerprint({"stage": STAGE, **why}), build, why)
