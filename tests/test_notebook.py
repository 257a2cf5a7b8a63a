"""The notebook in docs is executed from its first cell to its last; in the repository it has no outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK = DOCS / "results.ipynb"


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_it_is_kept_without_outputs() -> None:
    cells = code(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    assert cells and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.mark.slow
def test_every_cell_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = {"".join(cell["source"]): cell["outputs"] for cell in code(notebook)}
    (board,) = (outputs[-1]["data"]["text/html"] for source, outputs in shown.items() if "leaderboard" in source)
    assert board.startswith("<table>") and board.count("<td>moods</td>") == 2  # on validation and on test
    (differences,) = (outputs[-1]["data"]["text/plain"] for source, outputs in shown.items() if "compare" in source)
    assert "macro_f1" in differences and "accuracy" in differences
