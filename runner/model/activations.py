"""Activations: what the frozen part of the trunk puts out for every row of a stream, written to a file once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from runner.model.batch import Batch
from runner.model.frozen import captured, layers, skipped
from runner.model.network import Network
from runner.model.pooling import pool
from runner.model.stream import Known, Stream
from runner.model.trunk import tokens_of

FILE = "vectors.npy"
TOLERANCE = 1e-3


class Computed:
    """Computes with a network `width` wide, in its arithmetic, in batches of so many examples."""

    def __init__(
        self, network: Network, level: str, cut: int, width: int, size: int, arithmetic: str, accelerator: str
    ) -> None:
        gpu = accelerator != "cpu" and torch.cuda.is_available()
        self.network, self.level, self.cut, self.width, self.size = network, level, cut, width, size
        self.device = torch.device("cuda" if gpu else "cpu")
        self.arithmetic = arithmetic

    def cast(self) -> AbstractContextManager[Any]:
        """The arithmetic of training."""
        kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.arithmetic)
        return nullcontext() if kind is None else torch.autocast(self.device.type, kind)

    def write(self, stream: Stream, pad_id: int, path: Path, wide: bool) -> None:
        """The vectors of all rows of a stream, in their order, in fp32 if it shall be `wide`, else in bf16."""
        by_text = self.level == "text"
        ends = np.arange(len(stream.pairs) + 1) if by_text else stream.bounds
        shape = (int(ends[-1]), self.width)
        out = np.lib.format.open_memmap(path, "w+", np.float32 if wide else np.uint16, shape)
        reserve(path)
        with torch.inference_mode(), self.cast():
            for rows, vectors in self.batches(stream, pad_id):
                self.place(out, stream, rows, vectors, by_text)
        out.flush()

    def batches(self, stream: Stream, pad_id: int) -> Iterator[tuple[list[int], np.ndarray]]:
        """Rows of similar length, and their vectors in fp32."""
        self.network.to(self.device).eval()
        for rows in stream.by_length(self.size):
            batch = stream.batch(rows, packed=self.network.packed, pad_id=pad_id).to(self.device)
            yield rows, self.vectors(batch).float().cpu().numpy()

    def vectors(self, batch: Batch) -> torch.Tensor:
        """What the frozen part puts out for a batch."""
        net = self.network
        if self.level != "layer":
            tokens = tokens_of(net.trunk, batch, net.source)
            return pool(tokens, batch.lengths, net.pooling) if self.level == "text" else tokens
        with captured(layers(net.trunk)[self.cut - 1]) as found:
            tokens_of(net.trunk, batch, net.source)
        return found[0][0]

    def place(self, out: np.ndarray, stream: Stream, rows: list[int], vectors: np.ndarray, by_text: bool) -> None:
        """Write the vectors of some rows where they belong."""
        kept = vectors if out.dtype == np.float32 else narrowed(vectors)
        if by_text:
            out[stream.sequences(rows)] = kept
            return
        start = 0
        for row in rows:
            begin, end = int(stream.offsets[row]), int(stream.offsets[row + 1])
            out[begin:end] = kept[start : start + end - begin]
            start += end - begin

    def holds(self, stream: Stream, pad_id: int) -> bool:
        """Whether these are the vectors of training, and what is above gives the same from them, on the first rows."""
        if self.level != "layer":
            return True
        if not self.network.packed or len(layers(self.network.trunk)) <= self.cut:
            return False
        net = self.network.to(self.device).eval()
        batch = stream.batch(range(min(len(stream), 3)), packed=True, pad_id=pad_id).to(self.device)
        with torch.inference_mode(), self.cast():
            whole, known = tokens_of(net.trunk, batch, net.source), self.vectors(batch)
            with skipped(net.trunk, self.cut, known[None]):
                again = tokens_of(net.trunk, batch, net.source)
            net.train()
            trained = self.vectors(batch)
            net.eval()
        return all(
            torch.allclose(one.float(), other.float(), atol=TOLERANCE)
            for one, other in ((whole, again), (known, trained))
        )


def reserve(path: Path) -> None:
    """Take the room on the disk now: where it is full later, a write into mapped memory kills the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def narrowed(values: np.ndarray) -> np.ndarray:
    """The bits of bf16, rounded to the nearest."""
    return torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)


def known(path: Path, level: str) -> Known:
    """The vectors in a file, memory-mapped."""
    return Known(np.load(path, mmap_mode="r"), level == "text")
