"""The text of rows of several columns, for those who look at a row as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def joined(batch: pa.RecordBatch) -> pa.Array:
    """The text of each row: its columns, joined by line breaks."""
    import pyarrow.compute as pc

    return batch.column(0) if batch.num_columns == 1 else pc.binary_join_element_wise(*batch.columns, "\n")
