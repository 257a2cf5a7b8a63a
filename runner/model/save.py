"""Save a trained network as a folder that transformers and peft load, with its heads; load it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.errors import RunnerError
from runner.plan.base import Base, find
from runner.spec.tables import Experiment, Model

HEADS = "heads.safetensors"
ABOUT = "heads.json"
QUERY = "query"  # of attention pooling, beside the heads, whose names all have a dot
BATCH = 64
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "merges.txt")


def save(
    network: Any,
    folder: Path,
    base: Base,
    experiment: Experiment,
    labels: Mapping[str, Sequence[str]],
    tuned: Mapping[str, Any] | None = None,
) -> None:
    """Write the trunk (or its adapter), the tokenizer, the heads and what they mean; `tuned` by task, as chosen.

    The folder appears whole or not at all. `AutoModel.from_pretrained(folder)` loads a fully trained trunk,
    `PeftModel.from_pretrained(trunk, folder)` an adapter.
    """
    from safetensors.torch import save_file

    from runner.model.vocabulary import widen

    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    widen(network.trunk)
    network.trunk.save_pretrained(temporary)
    (temporary / "README.md").unlink(missing_ok=True)
    for name in TOKENIZER:
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, temporary / name)
    own = network.heads.state_dict() | ({} if network.query is None else {QUERY: network.query.detach()})
    save_file({name: value.contiguous() for name, value in own.items()}, temporary / HEADS)
    about = {
        "base": str(base.folder.resolve()),
        "model": experiment.written()["model"],
        "tasks": experiment.written()["tasks"],
        "labels": {name: list(each) for name, each in labels.items()},
        "tuned": dict(tuned or {}),
    }
    (temporary / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


class Predictor:
    """A trained network that answers texts."""

    def __init__(self, network: Any, tokenizer: Any, experiment: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
        self.network, self.tokenizer, self.about, self.tasks = network, tokenizer, experiment, parts

    def __call__(self, texts: Sequence[str | tuple[str, str]]) -> list[dict[str, Any]]:
        """For each text or pair what each task says of it, as `Task.reply` tells it; computed `BATCH` at a time."""
        texts = list(texts)
        return [one for start in range(0, len(texts), BATCH) for one in self.some(texts[start : start + BATCH])]

    def some(self, texts: Sequence[str | tuple[str, str]]) -> list[dict[str, Any]]:
        """The answers of one batch."""
        import numpy as np
        import torch

        from runner.model.batch import build
        from runner.parts.tasks._reading import Reading

        encoded = self.tokenizer.encode_batch(list(texts))
        sequences = [np.asarray(each.ids) for each in encoded]
        pairs = [each.type_ids.index(1) if 1 in each.type_ids else len(each.ids) for each in encoded]
        places = [np.array(each.offsets, np.int32).reshape(-1, 2) for each in encoded]
        reading = Reading(
            columns(texts), np.cumsum([0, *map(len, sequences)]), *np.concatenate(places).T if places else (None, None)
        )
        labels, nothing = self.about["labels"], [None] * len(texts)
        targets = {name: task.targets(nothing, labels[name], reading) for name, task in self.tasks.items()}
        batch = build("texts", range(len(texts)), sequences, pairs, targets, packed=self.network.packed, pad_id=0)
        with torch.inference_mode():
            logits = self.network(batch, tuple(self.tasks))
        said = {
            name: task.answer(logits[name], batch.targets[name], batch.lengths) for name, task in self.tasks.items()
        }
        tuned = self.about.get("tuned", {})
        return [
            {
                name: task.reply(said[name][row], labels[name], tuned.get(name, {}), first(texts[row]))
                for name, task in self.tasks.items()
            }
            for row in range(len(texts))
        ]


def first(text: str | tuple[str, str]) -> str:
    """The text, or the first of a pair."""
    return text if isinstance(text, str) else text[0]


def columns(texts: Sequence[str | tuple[str, str]]) -> list[list[str]]:
    """Texts, or the first and the second ones of pairs."""
    return [[first(text) for text in texts], *([[text[1] for text in texts]] if not isinstance(texts[0], str) else [])]


def base_of(model: Model, recorded: Path) -> Base:
    """The frozen weights below an adapter: where they were in training, else where the spec's word leads here."""
    return Base(model.base, recorded) if recorded.is_dir() else find(model, Path())


def load(folder: Path | str) -> Predictor:
    """The network that `save` wrote, ready to answer."""
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    from runner import kinds
    from runner.model.network import build

    folder = Path(folder)
    if not (folder / ABOUT).is_file():
        raise RunnerError(f"`{folder}` has no {ABOUT}", "name the `model` folder of a finished run")
    about = json.loads((folder / ABOUT).read_bytes())
    model = Model.model_validate(about["model"])
    parts: dict[str, Any] = {
        name: kinds.pick("tasks", task["type"]).model_validate(task) for name, task in about["tasks"].items()
    }
    model = model.model_copy(update={"freeze": None, "reinitialise": 0})
    base = Base(model.base, folder) if model.adapter is None else base_of(model, Path(about["base"]))
    network = build(base, model, parts, about["labels"], seed=0, packing=True)
    own = load_file(folder / HEADS)
    if network.query is not None:
        network.query.data.copy_(own.pop(QUERY))
    network.heads.load_state_dict(own)
    if model.adapter is not None:
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(network.trunk, load_file(folder / "adapter_model.safetensors"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(model.max_length)
    tokenizer.no_padding()
    network.eval()
    return Predictor(network, tokenizer, about, parts)
