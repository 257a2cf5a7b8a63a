"""Answers come back in the order of the streams, whatever the order of the batches."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.answer import answers, said
from runner.parts.tasks._output import Output
from tests.model.tiny import LABELS, experiment, stream

STREAMS = {
    "films:text": stream([3, 5, 2, 4, 6], name="films:text", seed=1),
    "books:text": stream([2, 2, 7], name="books:text", seed=2),
}
IDS = [f"{name}/{row}" for name, each in STREAMS.items() for row in range(len(each))]


def logits(name: str, rows: list[int], width: int) -> torch.Tensor:
    """Outputs that tell the row: the same for a row in whatever batch."""
    numbers = torch.tensor(rows)[:, None] * 3.0 + len(name) + torch.arange(width)
    return torch.sin(numbers * 1.7)


def heard(name: str, rows: list[int], logits: dict[str, torch.Tensor]) -> list:
    batch = STREAMS[name].batch(rows, packed=True, pad_id=0)
    outputs = {task: Output(each, batch.targets[task]) for task, each in logits.items()}
    return said(batch, outputs, experiment().tasks)


def outputs(batches: list[tuple[str, list[int]]]) -> list:
    return [
        piece
        for name, rows in batches
        for piece in heard(name, rows, {task: logits(name, rows, len(each)) for task, each in LABELS.items()})
    ]


@given(st.permutations([(name, row) for name, each in STREAMS.items() for row in range(len(each))]), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_rows_come_back_in_the_order_of_the_streams(order, size):
    batches = []
    for name, row in order:
        if batches and batches[-1][0] == name and len(batches[-1][1]) < size:
            batches[-1][1].append(row)
        else:
            batches.append((name, [row]))
    found = answers(outputs(batches), STREAMS, experiment().tasks, LABELS, "test")
    assert [each.task for each in found] == ["mood", "size"]
    for given_task in found:
        expected = [logits(name, list(range(len(each))), len(given_task.labels)) for name, each in STREAMS.items()]
        gold = [each.targets[given_task.task] for each in STREAMS.values()]
        assert list(given_task.ids) == IDS
        assert np.array_equal(given_task.gold, np.concatenate(gold))
        assert np.allclose(given_task.probabilities, torch.cat(expected).double().softmax(-1))
        assert np.array_equal(given_task.predicted, torch.cat(expected).argmax(-1))


def test_a_task_is_answered_only_on_the_streams_it_reads():
    values = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
    (found,) = answers(heard("books:text", [2, 0], {"mood": values}), STREAMS, experiment().tasks, LABELS, "validation")
    assert (found.task, found.split, found.labels) == ("mood", "validation", ("bad", "good"))
    assert found.ids == ("books:text/0", "books:text/2")
    assert found.predicted.tolist() == [0, 1]
