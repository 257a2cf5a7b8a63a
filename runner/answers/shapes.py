"""Shapes: all forms that answers have, by their word in the store."""

from __future__ import annotations

from runner.answers.answers import Shape
from runner.answers.choices import Choices
from runner.answers.likelihoods import Likelihoods
from runner.answers.preferences import Preferences
from runner.answers.quantities import Quantities
from runner.answers.ranks import Ranks
from runner.answers.sets import Sets
from runner.answers.tags import Tags
from runner.answers.texts import Texts

SHAPES: dict[str, Shape] = {
    each.shape: each for each in (Choices, Sets, Quantities, Tags, Texts, Likelihoods, Preferences, Ranks)
}
