"""Save a trained network as a folder that transformers and peft load, with its heads; load it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache
from runner.errors import RunnerError
from runner.model.predictor import Predictor
from runner.plan.base import Base, find
from runner.plan.estimate import speaking
from runner.spec.tables import Experiment, Model

HEADS = "heads.safetensors"
ABOUT = "heads.json"
QUERY = "query"  # of attention pooling, beside the heads, whose names all have a dot
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
)


def save(
    network: Any,
    folder: Path,
    base: Base,
    experiment: Experiment,
    labels: Mapping[str, Sequence[str]],
    tuned: Mapping[str, Any] | None = None,
) -> None:
    """Write the trunk (or its adapter), the tokenizer, the heads and what they mean; `tuned` by task, as chosen.

    The folder appears whole or not at all. `AutoModel.from_pretrained(folder)` loads a fully trained trunk, of a
    language model `AutoModelForCausalLM` and its like; `PeftModel.from_pretrained(trunk, folder)` an adapter.
    """
    from safetensors.torch import save_file

    from runner.model.language import CLASSES, whole
    from runner.model.vocabulary import widen

    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    widen(network.trunk)
    kind = speaking(experiment.tasks)
    whole(network.trunk).config.use_cache = bool(base.config.get("use_cache", kind in ("causal", "seq2seq")))
    network.trunk.save_pretrained(temporary)
    for card in temporary.rglob("README.md"):
        card.unlink()  # peft's own, which says nothing
    for name in TOKENIZER:
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, temporary / name)
    for template in {task.form.template for task in experiment.tasks.values()} - {""}:
        (temporary / "chat_template.jinja").write_text(template, encoding="utf-8")
    own = network.heads.state_dict() | ({} if network.query is None else {QUERY: network.query.detach()})
    save_file({name: value.contiguous() for name, value in own.items()}, temporary / HEADS)
    about = {
        "base": str(base.folder.resolve()),
        "class": CLASSES[kind],
        "model": experiment.written()["model"],
        "tasks": experiment.written()["tasks"],
        "labels": {name: list(each) for name, each in labels.items()},
        "tuned": dict(tuned or {}),
    }
    (temporary / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)


def base_of(model: Model, recorded: Path, folder: Path) -> Base:
    """The frozen weights below an adapter: where they were in training, else where the spec's word leads here."""
    if recorded.is_dir():
        return Base(str(model.base), recorded)
    above = folder.resolve().parents
    return find(model, Path(), Cache(above[2] / "cache") if len(above) > 2 else None)


def load(folder: Path | str) -> Predictor:
    """The network that `save` wrote, ready to answer."""
    from safetensors.torch import load_file

    from runner import kinds
    from runner.model.adapters import restore
    from runner.model.network import build
    from runner.model.trunk import choose_trunk

    folder = Path(folder)
    if not (folder / ABOUT).is_file():
        raise RunnerError(f"`{folder}` has no {ABOUT}", "name the `model` folder of a finished run")
    about = json.loads((folder / ABOUT).read_bytes())
    model = Model.model_validate(about["model"])
    parts: dict[str, Any] = {
        name: kinds.pick("tasks", task["type"]).model_validate(task | about.get("tuned", {}).get(name, {}))
        for name, task in about["tasks"].items()
    }
    base = Base(str(folder), folder) if model.adapter is None else base_of(model, Path(about["base"]), folder)
    plain = {"base": str(base.folder), "freeze": None, "reinitialise": 0, "quantise": None}  # any machine can answer
    model = model.model_copy(update=plain)
    network = build(base, model, parts, about["labels"], seed=0, packing=True)
    if network.reference is not None and model.adapter is None:
        before = base_of(model, Path(about["base"]), folder)
        network.reference.begin(choose_trunk(before, network.packed, speaking(parts))[0])
    own = load_file(folder / HEADS)
    if network.query is not None:
        network.query.data.copy_(own.pop(QUERY))
    network.heads.load_state_dict(own)
    if model.adapter is not None:
        restore(network.trunk, model.adapter, list(parts), folder)
    network.eval()
    return Predictor(network, base, model, about["labels"], parts)
