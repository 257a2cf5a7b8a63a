"""Generate: how texts are written once training is done, and how they are scored."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from runner.kinds import Family, Part, Table


class Generate(Table):
    """Texts of the best checkpoint for the rows of the last split, and of the base before training beside them.

    Prompts of like length are written together, padded on the left, each by random choices of its own: what stands
    beside a prompt changes nothing.
    """

    later: ClassVar[tuple[str, ...]] = ("judges", "proxies")

    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Longest text in tokens. Default 64."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    """How freely tokens are chosen; 0 always takes the likeliest. Default 0."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Probability of the likeliest tokens among which one is chosen. Default 1."""
    rows: Annotated[int, Field(ge=1)] = 100
    """Most rows that texts are written for, chosen by hash. Default 100."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 16
    """Prompts of one batch. Default 16."""
    prompt_tokens: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Tokens of a plain text that are its prompt; the rest is what it should say. Default 16."""
    compare: bool = True
    """Whether the base before training writes too. Default true."""
    metrics: Annotated[list[Annotated[str, Family("metrics").word()]], Field(min_length=1)] = Field(
        default=["chrf", "rouge_l", "exact_match", "distinct_2"]
    )
    """Scores of the texts. Default chrf, rouge_l, exact_match and distinct_2."""
    proxies: list[Annotated[Part, Family("proxies")]] = Field(default=[])
    """What stands in for readers: each gives every text a number, and the mean is a score `proxy_...`. Default none."""
    judges: list[Annotated[Part, Family("judges")]] = Field(default=[])
    """Models that rate every text by a rubric; each criterion's mean is a score `NAME_CRITERION`. Default none."""
