"""Virtual tokens in front of every sequence: all that is trained of the trunk."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from runner.kinds import bad_value
from runner.parts.adapters._adapter import Adapter


class Virtual(Adapter):
    """What both kinds share. Sequences are padded, not packed, since each needs its virtual tokens in front."""

    tokens: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Number of virtual tokens; they take room of the longest input. Default 20."""

    @property
    def virtual(self) -> int:
        return self.tokens

    @model_validator(mode="after")
    def shared(self) -> Any:
        if self.per_task:
            raise bad_value("virtual tokens are shared by all tasks", "leave `per_task` out", key="per_task")
        return self
