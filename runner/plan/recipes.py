"""Recipes: how the rows of the data sets become sequences, as the tasks of a spec ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.data.recipe import Recipe
from runner.parts.tasks._task import Task
from runner.plan.base import Base
from runner.spec.tables import Model


def recipe(base: Base, tasks: Mapping[str, Task], model: Model, names: Sequence[str]) -> Recipe:
    """That of a stream with these tasks, whose forms are equal."""
    heads = [tasks[name] for name in names]
    form = heads[0].form
    if form.chats and not form.template:
        form = form._replace(template=base.template)
    places = any(task.level == "token" or task.speaks == "masked" for task in heads)
    found = Recipe(form, base.tokenizer_file, model.max_length, places)
    return found._replace(marks=base.marks) if found.spoken else found
