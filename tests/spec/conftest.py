"""What is said of a spec's text."""

import pytest

from runner.errors import SpecError
from runner.spec.read import read


@pytest.fixture
def faults_of(tmp_path):
    """The faults of a spec's text: what each marks, says and hints at."""

    def faults_of(text):
        (tmp_path / "spec.toml").write_text(text)
        with pytest.raises(SpecError) as error:
            read(tmp_path / "spec.toml")
        lines = text.split("\n")
        return [
            (lines[each.line - 1][each.column - 1 : each.end_column], each.message, each.hint)
            for each in error.value.diagnostics
        ]

    return faults_of
