"""`Log` of this project: a record a step; what is kept is counted in the database, brought up to date first."""

from pathlib import Path

from stepping import main


class Ours:
    def __init__(self, folder):
        self.folder = Path(folder)

    def prepare(self):
        from runner.store.ingest import ingest

        return ingest(self.folder)

    def begin(self, name):
        from runner.store.log import Log

        self.made = Log(self.folder / "runs" / name, name, 1)
        self.made.write("run_started", name="toy", seed=1, params={"train.epochs": 3})

    def log(self, values, step):
        self.made.write("metrics", step=step, epoch=step / 370, split="train", values=values)

    def end(self):
        self.made.write("run_finished", state="finished", seconds=1.0)
        self.made.close()

    def count(self):
        from runner.store.query import query

        points = query(self.folder, "SELECT count(*) AS n FROM metrics").to_pylist()[0]["n"]
        return {"points": points, "bytes": (self.folder / "store.duckdb").stat().st_size}


if __name__ == "__main__":
    main(Ours)
