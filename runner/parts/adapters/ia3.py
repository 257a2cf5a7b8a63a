"""IA3: learned factors of keys, values and feed-forward activations (Liu and others 2022, arXiv:2205.05638)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.adapters._adapter import Adapter, Linears, Names, Sizes, chosen

if TYPE_CHECKING:
    from peft import IA3Config


class IA3(Adapter):
    """Train one factor for each output of chosen linear layers and each input of others.

    ```toml
    type = "ia3"
    targets = ["key", "value"]
    feedforward = ["output.dense"]
    ```
    """

    kind: ClassVar[str] = "ia3"
    later: ClassVar[tuple[str, ...]] = ("per_task",)
    naming: ClassVar[tuple[str, ...]] = ("targets", "feedforward")

    type: Literal["ia3"]
    """The kind of adapter."""
    targets: Annotated[Names, Field(min_length=1)] = Field(default=["key", "value"])
    """Names of the linear layers whose outputs are scaled, by their last parts. Default key and value, as in BERT."""
    feedforward: Names = Field(default=["output.dense"])
    """Names of the linear layers whose inputs are scaled, by their last parts. Default output.dense, as in BERT."""

    def config(self) -> IA3Config:
        """The peft configuration that means the same."""
        from peft import IA3Config

        return IA3Config(
            target_modules=[*self.targets, *self.feedforward],
            feedforward_modules=rf"(.*\.)?({'|'.join(map(re.escape, self.feedforward))})" if self.feedforward else [],
        )

    def parameters(self, linears: Linears, sizes: Sizes) -> int:
        """A factor for each output, or for each input of the feed-forward layers."""
        inputs = chosen(linears, self.feedforward)
        outputs = {name: shape for name, shape in chosen(linears, self.targets).items() if name not in inputs}
        return sum(out for out, _ in outputs.values()) + sum(into for _, into in inputs.values())
