"""Prefix tuning: learned keys and values in front of every layer's own (Li and Liang 2021, arXiv:2101.00190)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.parts.adapters._adapter import Linears, Sizes
from runner.parts.adapters._virtual import Virtual

if TYPE_CHECKING:
    from peft import PrefixTuningConfig


class PrefixTuning(Virtual):
    """Train keys and values of virtual tokens in each layer of a decoder, drawn by the seed.

    ```toml
    type = "prefix_tuning"
    tokens = 20
    ```
    """

    kind: ClassVar[str] = "prefix_tuning"
    naming: ClassVar[tuple[str, ...]] = ()

    type: Literal["prefix_tuning"]
    """The kind of adapter."""

    def config(self) -> PrefixTuningConfig:
        """The peft configuration that means the same."""
        from peft import PrefixTuningConfig

        return PrefixTuningConfig(num_virtual_tokens=self.tokens)

    def parameters(self, linears: Linears, sizes: Sizes) -> int:
        """A key and a value for each virtual token in each layer."""
        return self.tokens * sizes.layers * 2 * sizes.keys
