"""Batch: the ids and tensors of some examples of one stream, without or with padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch


@dataclass(frozen=True, eq=False)
class Batch:
    """Token sequences of one stream (a data set read by one choice of input columns) and their targets.

    Packed: `input_ids` and `type_ids` have shape [1, tokens], one sequence after the other, `position_ids` restart at
    each. Padded: shape [examples, longest]. `lengths` [examples] counts the tokens of each sequence.
    `targets[task]` has a row an example, or one a token. `shares[task]` is the factor of the sum of the task's losses
    in the loss of the optimizer step: its part of the examples of the step, divided by its units there. `spans`
    [tokens, 2] are the characters that each token stands for, where a head looks at tokens. `places[task]` are the
    indices of the task's examples, or of their tokens, in a mixed batch that holds others too; `sequences[task]` those
    of its sequences. Tasks `beyond` it are those of batches that other processes compute meanwhile. `vectors` are what
    the frozen part of the trunk puts out, where that is known: [sequences or tokens, hidden].
    """

    stream: str
    rows: tuple[int, ...]
    input_ids: torch.Tensor
    type_ids: torch.Tensor
    lengths: torch.Tensor
    packed: bool
    targets: Mapping[str, torch.Tensor] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    spans: torch.Tensor | None = None
    places: Mapping[str, torch.Tensor] = field(default_factory=dict)
    sequences: Mapping[str, torch.Tensor] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()
    vectors: torch.Tensor | None = None

    @property
    def idle(self) -> bool:
        """Whether it counts nothing in the optimizer step, and is there to keep others company."""
        return bool(self.shares) and not any(self.shares.values())

    def __len__(self) -> int:
        return len(self.lengths)

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        if self.input_ids.device == device:
            return self
        return replace(
            self,
            input_ids=self.input_ids.to(device),
            type_ids=self.type_ids.to(device),
            lengths=self.lengths.to(device),
            targets={task: target.to(device) for task, target in self.targets.items()},
            places={task: each.to(device) for task, each in self.places.items()},
            sequences={task: each.to(device) for task, each in self.sequences.items()},
            vectors=None if self.vectors is None else self.vectors.to(device),
        )

    def of(self, task: str, vectors: torch.Tensor) -> torch.Tensor:
        """Those of the vectors [examples or tokens, hidden] that a task looks at."""
        return vectors[self.places[task]] if task in self.places else vectors

    def lengths_of(self, task: str) -> torch.Tensor:
        """Tokens of each sequence that a task looks at."""
        return self.lengths[self.sequences[task]] if task in self.sequences else self.lengths


def build(
    stream: str,
    rows: Sequence[int],
    sequences: Sequence[np.ndarray],
    pairs: Sequence[int],
    targets: Mapping[str, np.ndarray],
    *,
    packed: bool,
    pad_id: int,
    shares: Mapping[str, float] | None = None,
    spans: np.ndarray | None = None,
    places: Mapping[str, np.ndarray] | None = None,
    owned: Mapping[str, np.ndarray] | None = None,
    vectors: np.ndarray | None = None,
) -> Batch:
    """Lay out token sequences; `pairs[i]` is where the second text of sequence i begins (its length without one)."""
    lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
    place = layout(lengths, packed)
    shape = (1, int(lengths.sum())) if packed else (len(sequences), int(lengths.max()))
    input_ids = np.full(shape[0] * shape[1], pad_id, np.int64)
    type_ids = np.zeros(shape[0] * shape[1], np.int64)
    input_ids[place] = np.concatenate(sequences)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    type_ids[place] = within >= np.repeat(np.asarray(pairs), lengths)
    return Batch(
        stream=stream,
        rows=tuple(rows),
        input_ids=torch.from_numpy(input_ids).view(shape),
        type_ids=torch.from_numpy(type_ids).view(shape),
        lengths=torch.from_numpy(lengths),
        packed=packed,
        targets={task: torch.from_numpy(target) for task, target in targets.items()},
        shares=shares or {},
        spans=None if spans is None else torch.from_numpy(spans),
        places={task: torch.from_numpy(each) for task, each in (places or {}).items()},
        sequences={task: torch.from_numpy(each) for task, each in (owned or {}).items()},
        vectors=None if vectors is None else torch.from_numpy(vectors),
    )


def layout(lengths: np.ndarray, packed: bool) -> np.ndarray:
    """Where each token goes in the flat tensor: one after the other, or each sequence in a row of its own."""
    if packed:
        return np.arange(lengths.sum())
    starts = np.arange(len(lengths)) * lengths.max()
    return np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
