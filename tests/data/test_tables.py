"""Rows taken from tables on disk."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.data.tables import at, mapped, write


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 99), max_size=30), st.integers(1, 40))
def test_rows_at_positions_are_those_of_arrow(positions, size):
    table = pa.table({"id": [str(row) for row in range(100)], "row": range(100)})
    parts = pa.Table.from_batches(table.to_batches(max_chunksize=size))
    index = np.array(positions, np.int64)
    assert at(parts, index).to_pydict() == table.take(index).to_pydict()


@pytest.fixture
def pool():
    """What Arrow allocates meanwhile."""
    before = pa.default_memory_pool()
    proxy = pa.proxy_memory_pool(before)
    pa.set_memory_pool(proxy)
    yield proxy
    pa.set_memory_pool(before)


def test_a_few_rows_of_a_large_table_cost_no_memory(tmp_path, pool):
    batch = pa.record_batch({"text": ["x" * 1000] * 1000})
    write(tmp_path / "rows.arrow", [batch] * 50)
    table = mapped(tmp_path / "rows.arrow")
    del batch
    held = pool.max_memory()
    rows = at(table, np.arange(0, 50_000, 1000))
    assert rows.num_rows == 50
    assert pool.max_memory() - held < 1_000_000
