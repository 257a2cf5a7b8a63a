"""What every adapter is: small trained weights beside linear layers of a frozen trunk. A kind is one file here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field

from runner.kinds import Part

if TYPE_CHECKING:
    from peft import PeftConfig

Names = list[Annotated[str, Field(min_length=1)]]
Linears = Mapping[str, tuple[int, int]]


class Sizes(NamedTuple):
    """Of a trunk: the width of a token vector, its layers, and the width of all keys of a token in one layer."""

    hidden: int
    layers: int
    keys: int


class Adapter(Part):
    """What a kind must do."""

    # The fields that name linear layers of the model.
    naming: ClassVar[tuple[str, ...]] = ("targets",)

    type: str
    """The kind of adapter."""
    per_task: bool = False
    """Whether each task has an adapter, and so a forward pass, of its own, instead of one for all. Default false."""

    def config(self) -> PeftConfig:
        """The peft configuration that means the same."""
        raise NotImplementedError

    @property
    def virtual(self) -> int:
        """Virtual tokens in front of every sequence."""
        return 0

    def parameters(self, linears: Linears, sizes: Sizes) -> int:
        """How many weights it adds to a trunk whose linear layers have these shapes [out, in], by their full names."""
        raise NotImplementedError


def chosen(linears: Linears, names: Names) -> Linears:
    """The layers whose names end in one of these, from a dot on."""
    return {
        layer: shape
        for layer, shape in linears.items()
        if any(layer == name or layer.endswith(f".{name}") for name in names)
    }
