"""Prompt tuning: learned vectors in front of the input (Lester and others 2021, arXiv:2104.08691)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from runner.parts.adapters._adapter import Linears, Sizes
from runner.parts.adapters._virtual import Virtual

if TYPE_CHECKING:
    from peft import PromptTuningConfig


class PromptTuning(Virtual):
    """Train the embeddings of virtual tokens in front of every sequence, drawn by the seed.

    ```toml
    type = "prompt_tuning"
    tokens = 20
    ```
    """

    kind: ClassVar[str] = "prompt_tuning"
    naming: ClassVar[tuple[str, ...]] = ()

    type: Literal["prompt_tuning"]
    """The kind of adapter."""

    def config(self) -> PromptTuningConfig:
        """The peft configuration that means the same."""
        from peft import PromptTuningConfig

        return PromptTuningConfig(num_virtual_tokens=self.tokens)

    def parameters(self, linears: Linears, sizes: Sizes) -> int:
        """A vector for each virtual token."""
        return self.tokens * sizes.hidden
