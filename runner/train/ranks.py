"""Ranks: this process among those that train one run together, and how they share batches and agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from runner.train.order import Draw

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Ranks:
    """Rank `rank` of `size`; `group` talks over the processor's memory, whatever the tensors live on.

    The first rank alone writes. Alone, every method gives back what it got.
    """

    rank: int = 0
    size: int = 1
    strategy: Literal["ddp", "fsdp"] | None = None
    group: Any = None

    @property
    def first(self) -> bool:
        """Whether this process records and saves."""
        return self.rank == 0

    def share(self, draws: list[Draw]) -> list[Draw]:
        """Every `size`-th batch from this rank's on, all ranks equally many: the last may be one that counts nothing.

        Such a batch is the first one of its round, so that it meets no task that its round has not.
        """
        found = []
        for start in range(0, len(draws), self.size):
            together = draws[start : start + self.size]
            idle = replace(together[0], shares=dict.fromkeys(together[0].shares, 0.0))
            mine = together[self.rank] if self.rank < len(together) else idle
            others = {task for each in together for task in each.shares}
            found.append(replace(mine, beyond=tuple(sorted(others - mine.shares.keys()))))
        return found

    def gathered(self, value: Any) -> list[Any]:
        """The value of each rank in order, for the first; the others get nothing."""
        if self.size == 1:
            return [value]
        from torch import distributed

        found: list[Any] = [None] * self.size
        distributed.gather_object(value, found if self.first else None, dst=0, group=self.group)
        return found if self.first else []

    def told(self, value: Any) -> Any:
        """The first rank's value, for all."""
        if self.size == 1:
            return value
        from torch import distributed

        said = [value]
        distributed.broadcast_object_list(said, src=0, group=self.group)
        return said[0]

    def agreed(self, value: bool) -> bool:
        """The same of a yes or no, as often as every step."""
        if self.size == 1:
            return value
        import torch
        from torch import distributed

        said = torch.tensor([value], dtype=torch.uint8)
        distributed.broadcast(said, src=0, group=self.group)
        return bool(said)

    def united(self, values: Iterable[Any]) -> set[Any]:
        """What any rank has."""
        if self.size == 1:
            return set(values)
        from torch import distributed

        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, set(values), group=self.group)
        return set().union(*found)

    def summed(self, vector: torch.Tensor) -> torch.Tensor:
        """The sum over all ranks, in place."""
        if self.size > 1:
            from torch import distributed

            distributed.all_reduce(vector)
        return vector

    def whole(self, value: Any) -> Any:
        """Tensors that are shared out, put together for the first rank; in tables and lists of any depth."""
        if self.strategy != "fsdp":
            return value
        if isinstance(value, dict):
            return {key: self.whole(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.whole(each) for each in value]
        if not hasattr(value, "full_tensor"):
            return value
        full = value.full_tensor()
        return full.cpu() if self.first else None


ALONE = Ranks()


def interleaved(each: list[list[Any]]) -> list[Any]:
    """What the ranks have of a list that was dealt out in turn, in its order."""
    longest = max(map(len, each), default=0)
    return [own[index] for index in range(longest) for own in each if index < len(own)]


def rest(network: nn.Module) -> None:
    """Leave each rank its own part of the weights alone: a forward pass keeps some of them whole."""
    each: Any
    for each in network.modules():
        if hasattr(each, "reshard"):
            each.reshard()


def like(saved: Any, parameter: Any) -> Any:
    """This rank's part of a whole tensor, where the parameter is shared out and has the same shape."""
    if not hasattr(parameter, "device_mesh") or getattr(saved, "shape", None) != parameter.shape:
        return saved
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(
        saved.to(parameter.device), parameter.device_mesh, parameter.placements, src_data_rank=None
    )


def dealt(optimizer: Mapping[str, Any], parameters: Iterable[torch.Tensor]) -> dict[str, Any]:
    """The state of an optimizer whose tensors are whole, as this rank holds them."""
    owners = dict(enumerate(parameters))
    state = {
        index: {name: like(each, owners[index]) for name, each in kept.items()}
        for index, kept in optimizer["state"].items()
    }
    return {**optimizer, "state": state}
