"""Save a trained network as a folder that transformers and peft load, with its heads; load it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runner.data.tokens import Cutter
from runner.errors import RunnerError
from runner.parts.tasks._reading import Reading
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

    def __init__(self, network: Any, folder: Path, about: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
        self.network, self.about, self.tasks = network, about, parts
        self.tokenizer_file, self.max_length = folder / "tokenizer.json", int(about["model"]["max_length"])

    def __call__(self, texts: Sequence[str | tuple[str, str]]) -> list[dict[str, Any]]:
        """For each text or pair what each task says of it, as `Task.reply` tells it; computed `BATCH` at a time."""
        texts = list(texts)
        return [one for start in range(0, len(texts), BATCH) for one in self.some(texts[start : start + BATCH])]

    def some(self, texts: Sequence[str | tuple[str, str]]) -> list[dict[str, Any]]:
        """The answers of one batch; tasks that cut long texts alike share a forward pass."""
        columns = [[text] if isinstance(text, str) else list(text) for text in texts]
        found: list[dict[str, Any]] = [{} for _ in texts]
        for width in dict.fromkeys(map(len, columns)):
            rows = [row for row, each in enumerate(columns) if len(each) == width]
            for row, reply in zip(rows, self.replies([columns[row] for row in rows]), strict=True):
                found[row] = reply
        return found

    def replies(self, texts: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """The answers of the heads that read so many texts; those that cut long ones alike share a forward pass."""
        asked = {name: task for name, task in self.tasks.items() if len(task.inputs) == len(texts[0])}
        if not asked:
            wanted = sorted({len(task.inputs) for task in self.tasks.values()})
            raise RunnerError(f"no head reads {len(texts[0])} texts at once", f"give {' or '.join(map(str, wanted))}")
        found: list[dict[str, Any]] = [{} for _ in texts]
        for overlap in dict.fromkeys(task.form.stride for task in asked.values()):
            names = [name for name, task in asked.items() if task.form.stride == overlap]
            for name, said in self.said(texts, names, overlap).items():
                for row, each in enumerate(said):
                    found[row][name] = asked[name].reply(each, self.about["labels"][name], texts[row])
        return [{name: each[name] for name in asked} for each in found]

    def said(self, texts: Sequence[Sequence[str]], names: Sequence[str], overlap: int | None) -> dict[str, list[Any]]:
        """What some heads say of each text or pair."""
        import torch

        from runner.model.answer import merged
        from runner.model.batch import build

        cutter = Cutter(self.tokenizer_file, self.max_length, len(texts[0]) > 1, True, overlap)
        columns = [list(column) for column in zip(*texts, strict=True)]
        windows = list(cutter.windows(columns))
        rows = np.array([row for row, each in enumerate(windows) for _ in each])
        tokens = [each for row in windows for each in row]
        spans = np.array([place for each in tokens for place in each.places], np.int32).reshape(-1, 2)
        pairs = [each.pair for each in tokens]
        offsets = np.cumsum([0, *(len(each.ids) for each in tokens)])
        reading = Reading(
            columns, offsets, spans[:, 0], spans[:, 1], None if overlap is None else rows, np.array(pairs)
        )
        nothing = [None] * len(texts)
        targets = {name: self.tasks[name].targets(nothing, self.about["labels"][name], reading) for name in names}
        sequences = [np.asarray(each.ids) for each in tokens]
        packed = self.network.packed
        batch = build("texts", range(len(tokens)), sequences, pairs, targets, packed=packed, pad_id=0, spans=spans)
        with torch.inference_mode():
            outputs = self.network.outputs(batch, tuple(names))
        found = {}
        for name in names:
            said = self.tasks[name].answer(outputs[name])
            found[name] = (
                list(said) if overlap is None else merged(np.arange(len(rows)), said, rows, self.tasks[name])[1]
            )
        return found


def base_of(model: Model, recorded: Path) -> Base:
    """The frozen weights below an adapter: where they were in training, else where the spec's word leads here."""
    return Base(str(model.base), recorded) if recorded.is_dir() else find(model, Path())


def load(folder: Path | str) -> Predictor:
    """The network that `save` wrote, ready to answer."""
    from safetensors.torch import load_file

    from runner import kinds
    from runner.model.network import build

    folder = Path(folder)
    if not (folder / ABOUT).is_file():
        raise RunnerError(f"`{folder}` has no {ABOUT}", "name the `model` folder of a finished run")
    about = json.loads((folder / ABOUT).read_bytes())
    model = Model.model_validate(about["model"])
    parts: dict[str, Any] = {
        name: kinds.pick("tasks", task["type"]).model_validate(task | about.get("tuned", {}).get(name, {}))
        for name, task in about["tasks"].items()
    }
    model = model.model_copy(update={"freeze": None, "reinitialise": 0})
    base = Base(str(model.base), folder) if model.adapter is None else base_of(model, Path(about["base"]))
    network = build(base, model, parts, about["labels"], seed=0, packing=True)
    own = load_file(folder / HEADS)
    if network.query is not None:
        network.query.data.copy_(own.pop(QUERY))
    network.heads.load_state_dict(own)
    if model.adapter is not None:
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(network.trunk, load_file(folder / "adapter_model.safetensors"))
    network.eval()
    return Predictor(network, folder, about, parts)
