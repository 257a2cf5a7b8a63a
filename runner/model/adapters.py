"""Adapters on a trunk: one that all tasks share, or one for each task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from runner.model import language

SHARED = "default"
WEIGHTS = "adapter_model.safetensors"


def adapt(trunk: nn.Module, adapter: Any, tasks: Sequence[str]) -> nn.Module:
    """The trunk with the adapter; nothing else of it is trained."""
    from peft import get_peft_model

    first, *others = names(adapter, tasks)
    config = adapter.config()
    if adapter.virtual:
        config.task_type = "FEATURE_EXTRACTION" if language.body(trunk) is trunk else "CAUSAL_LM"
    adapted: Any = get_peft_model(trunk, config, adapter_name=first)
    if not others:
        made: nn.Module = adapted
        return made
    for name in others:
        adapted.add_adapter(name, adapter.config())
    prefix = adapted.base_model.prefix
    for name, parameter in adapted.named_parameters():
        if any(part.startswith(prefix) for part in name.split(".")):
            parameter.requires_grad_(True)  # peft lets only one of several learn
    made = adapted
    return made


def names(adapter: Any, tasks: Sequence[str]) -> list[str]:
    """What peft calls the adapters, in the order of the tasks' names."""
    return [called(task) for task in sorted(tasks)] if adapter.per_task else [SHARED]


def called(task: str) -> str:
    """The name of a task's adapter: a word that torch's dictionaries of modules don't keep for themselves."""
    return f"{task}_" if hasattr(nn.ModuleDict(), task) or task == SHARED else task


def use(trunk: nn.Module, task: str) -> None:
    """Let the layers compute with the adapter of a task; which weights learn stays as it is."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in trunk.modules():
        if isinstance(module, BaseTunerLayer):
            module._active_adapter = [called(task)]  # `set_adapter` would stop the others from learning


def restore(trunk: nn.Module, adapter: Any, tasks: Sequence[str], folder: Path) -> None:
    """Give the adapters the weights that a folder holds."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    for name in names(adapter, tasks):
        place = folder if name == SHARED else folder / name
        with torch.no_grad():
            set_peft_model_state_dict(trunk, load_file(place / WEIGHTS), adapter_name=name)
