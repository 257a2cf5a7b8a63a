"""LoRA: low-rank updates beside frozen linear layers (Hu and others 2021, arXiv:2106.09685)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.adapters._adapter import Adapter, Linears, Names, Sizes, chosen

if TYPE_CHECKING:
    from peft import LoraConfig


class Lora(Adapter):
    """Train low-rank updates of chosen linear layers.

    ```toml
    type = "lora"
    rank = 8
    targets = ["query", "value"]
    ```
    """

    kind: ClassVar[str] = "lora"
    later: ClassVar[tuple[str, ...]] = ("per_task", "rslora", "dora")

    type: Literal["lora"]
    """The kind of adapter."""
    rank: Annotated[int, Field(ge=1, le=4096)] = 8
    """Rank of the update matrices. Default 8."""
    alpha: Annotated[float, Field(gt=0)] = 16.0
    """Scale of the update; it is multiplied by alpha / rank. Default 16."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout probability in front of the update. Default 0."""
    targets: Literal["all-linear"] | Annotated[Names, Field(min_length=1)] = "all-linear"
    """Names of the linear layers to adapt, by their last part, or `all-linear`. Default all-linear."""
    rslora: bool = False
    """Multiply the update by alpha / sqrt(rank), so that high ranks learn too (Kalajdzievski 2023). Default false."""
    dora: bool = False
    """Learn the length of each output's weights apart from their direction (Liu and others 2024). Default false."""

    def config(self) -> LoraConfig:
        """The peft configuration that means the same."""
        from peft import LoraConfig

        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # type: ignore[arg-type]  # peft only divides by the rank
            lora_dropout=self.dropout,
            target_modules=self.targets,
            use_rslora=self.rslora,
            use_dora=self.dora,
            bias="none",
        )

    def parameters(self, linears: Linears, sizes: Sizes) -> int:
        """rank * (in + out) for every layer, and one length an output for DoRA."""
        layers = linears if self.targets == "all-linear" else chosen(linears, self.targets)
        return sum(self.rank * (out + into) + self.dora * out for out, into in layers.values())
