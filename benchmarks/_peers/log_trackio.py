"""Trackio: `log` a step, as its users write; what is kept is counted in its SQLite files."""

import json
import os
import sqlite3
from pathlib import Path

from stepping import METRICS, main


class Trackio:
    def __init__(self, folder):
        os.environ["TRACKIO_DIR"] = str(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        import trackio

        self.folder, self.trackio = Path(folder), trackio

    def prepare(self):
        return 0

    def begin(self, name):
        self.run = self.trackio.init(project="toy", name=name, config={"epochs": 3})

    def log(self, values, step):
        self.trackio.log(values, step=step)

    def end(self):
        self.trackio.finish()

    def count(self):
        files, points = list(self.folder.rglob("*.db")), 0
        for file in files:
            with sqlite3.connect(file) as con:
                rows = con.execute("SELECT metrics FROM metrics").fetchall()
            points += sum(name in METRICS for (row,) in rows for name in json.loads(row))
        return {"points": points, "bytes": sum(file.stat().st_size for file in files)}


if __name__ == "__main__":
    main(Trackio)
