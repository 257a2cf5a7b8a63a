"""Reading a spec stays light."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "lightning", "transformers", "peft", "datasets", "pyarrow", "duckdb")


def test_reading_a_spec_imports_nothing_heavy():
    code = (
        "import sys; from pathlib import Path; from runner.spec.read import read\n"
        "read(Path('specs/quickstart.toml'))\n"
        "import runner.spec.schema, runner.spec.render; runner.spec.schema.text()\n"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
