"""Strategy: what Lightning is told about the processes that train together, and how weights are shared out."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins import ClusterEnvironment
from lightning.pytorch.plugins import MixedPrecision
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy

from runner.model.frozen import layers
from runner.model.network import Network
from runner.model.precision import lightning_word, resolved
from runner.spec.tables import Experiment
from runner.train.ranks import Ranks


class Started(ClusterEnvironment):
    """Processes of one machine that somebody else started, and that are connected already."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks

    creates_processes_externally = True
    main_address = ""
    main_port = 0

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.ranks.size

    def set_world_size(self, size: int) -> None:
        """It stands fast."""

    def global_rank(self) -> int:
        return self.ranks.rank

    def set_global_rank(self, rank: int) -> None:
        """It stands fast."""

    def local_rank(self) -> int:
        return self.ranks.rank

    def node_rank(self) -> int:
        return 0


class Apart(DDPStrategy):
    """Each process keeps its gradients; `pcgrad` sums them up task by task itself."""

    def configure_ddp(self) -> None:
        """Nothing is put around the module."""


def told(experiment: Experiment, ranks: Ranks) -> dict[str, Any]:
    """Arguments of the Trainer: devices, strategy and arithmetic."""
    train, accelerator = experiment.train, experiment.execute.accelerator
    plugins: list[Any] = [Started(ranks)] if ranks.strategy else []
    found: dict[str, Any] = {"accelerator": accelerator, "devices": ranks.size, "plugins": plugins}
    if resolved(train.precision, accelerator) == "fp16":
        gpu = accelerator != "cpu" and torch.cuda.is_available()
        plugins.append(MixedPrecision("16-mixed", "cuda" if gpu else "cpu"))
    else:
        found["precision"] = lightning_word(train.precision, accelerator)
    if ranks.strategy == "ddp":  # heads of other tasks and resting layers have no gradient; buffers never differ
        kind: Any = Apart if train.loss_balance == "pcgrad" else DDPStrategy
        found["strategy"] = kind(find_unused_parameters=True, broadcast_buffers=False)
    if ranks.strategy == "fsdp":
        found["strategy"] = ModelParallelStrategy(ranks.size, 1, save_distributed_checkpoint=False)
        found["inference_mode"] = False  # weights gathered in it could not be trained any more
    return found | ({"use_distributed_sampler": False} if ranks.strategy else {})


def scaler(trainer: pl.Trainer) -> dict[str, Any]:
    """The state of what scales losses in fp16; empty elsewhere."""
    plugin = trainer.precision_plugin
    return plugin.state_dict() if isinstance(plugin, MixedPrecision) and plugin.scaler is not None else {}


def shard(network: Network, mesh: Any) -> None:
    """Share out the weights among the processes: each layer of the trunk by itself, then all that is left."""
    from torch.distributed.fsdp import fully_shard

    for layer in layers(network.trunk):
        fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh)
