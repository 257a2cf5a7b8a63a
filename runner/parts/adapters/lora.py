"""LoRA: low-rank updates beside frozen linear layers (Hu and others 2021, arXiv:2106.09685)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from runner.kinds import Part

if TYPE_CHECKING:
    from peft import LoraConfig


class Lora(Part):
    """Train low-rank updates of chosen linear layers.

    ```toml
    type = "lora"
    rank = 8
    targets = ["query", "value"]
    ```
    """

    kind: ClassVar[str] = "lora"

    type: Literal["lora"]
    """The kind of adapter."""
    rank: Annotated[int, Field(ge=1, le=4096)] = 8
    """Rank of the update matrices. Default 8."""
    alpha: Annotated[float, Field(gt=0)] = 16.0
    """Scale of the update; it is multiplied by alpha / rank. Default 16."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout probability in front of the update. Default 0."""
    targets: Literal["all-linear"] | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)] = (
        "all-linear"
    )
    """Names of the linear layers to adapt, by their last part, or `all-linear`. Default all-linear."""

    def config(self) -> LoraConfig:
        """The peft configuration that means the same."""
        from peft import LoraConfig

        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # type: ignore[arg-type]  # peft only divides by the rank
            lora_dropout=self.dropout,
            target_modules=self.targets,
            bias="none",
        )
