"""Every spec in the repository is valid and can be planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.plan.explain import facts, tree
from runner.run.experiment import prepare
from runner.spec.read import read

ROOT = Path(__file__).parents[1]
SPECS = sorted((ROOT / "specs").glob("*.toml"))
PEERS = ROOT / "benchmarks" / "_peers"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all specs: a model that several start from is unpacked once."""
    return tmp_path_factory.mktemp("results")


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_spec_is_valid_and_planned(file: Path, results: Path) -> None:
    for data in read(file).experiment.data.values():
        if not (file.parent / data.train).exists():
            pytest.skip(f"`{data.train}` is not there: it is no part of the project")
    plan = prepare(file, results)
    found = facts(plan)
    assert found["trials"] and found["model"]["trainable"] <= found["model"]["parameters"]
    assert plan.checked.spec.experiment.name in tree(found)


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_spec_says_what_it_shows(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#:schema ../schemas/experiment.schema.json"
    assert lines[1].startswith("# ")


def test_the_spec_of_the_benchmark_beside_peers_is_a_grid_of_twelve() -> None:
    each = read(PEERS / "grid.toml").trials
    rates = {spec.experiment.train.learning_rate for spec in each}
    assert len(each) == 12 and rates == {1e-4, 2e-4, 4e-4}
    for peer in ("raytune.py", "multirun.yaml"):
        assert "1e-4, 2e-4, 4e-4" in (PEERS / peer).read_text(encoding="utf-8")
