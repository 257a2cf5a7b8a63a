"""MLflow over SQLite: `log_metrics` a step, as its users write; the questions by its client."""

import os
import sqlite3
import time
from pathlib import Path
from statistics import median

from stepping import METRICS, main


class MLflow:
    def __init__(self, folder):
        import mlflow

        self.path, self.mlflow = Path(folder) / "mlflow.db", mlflow
        os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] = "false"
        mlflow.set_tracking_uri(f"sqlite:///{self.path}")
        self.experiment = mlflow.set_experiment("toy").experiment_id

    def prepare(self):
        return self.experiment

    def begin(self, name):
        self.mlflow.start_run(run_name=name)
        self.mlflow.log_params({"train.epochs": 3})

    def log(self, values, step):
        self.mlflow.log_metrics(values, step=step)

    def end(self):
        self.mlflow.end_run()

    def count(self):
        with sqlite3.connect(self.path) as con:
            (points,) = con.execute("SELECT count(*) FROM metrics").fetchone()
        return {"points": points, "bytes": self.path.stat().st_size}

    def ask(self, seconds):
        """Fill it by its bulk call for so many seconds, then ask."""
        client, until, runs = self.mlflow.MlflowClient(), time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            self.fill(client, runs)
            runs += 1
        found = {name: timed(question, client, self.experiment) for name, question in QUESTIONS.items()}
        return {"runs": runs, **self.count(), "warm_ms": found}

    def fill(self, client, number):
        from mlflow.entities import Metric, Param

        run = client.create_run(self.experiment, run_name=f"run-{number}").info.run_id
        fields = {"setting": number // 5, **{f"train.option_{at}": at for at in range(20)}}
        client.log_batch(run, params=[Param(name, str(value)) for name, value in fields.items()])
        for step in range(0, 1000, 200):
            points = [
                Metric(name, (number * 7 + at) % 1000 / 1000, 0, at)
                for at in range(step, step + 200)
                for name in METRICS
            ]
            client.log_batch(run, metrics=points)
        client.set_terminated(run)


def pages(client, experiment, **how):
    """All runs, page by page."""
    token, found = None, []
    while token != "":
        page = client.search_runs([experiment], max_results=1000, page_token=token, **how)
        found += page
        token = page.token or ""
    return found


def best(client, experiment):
    """The best run of each setting: grouped here, for its search cannot."""
    found = {}
    for run in pages(client, experiment):
        setting, value = run.data.params["setting"], run.data.metrics["mood.macro_f1"]
        found[setting] = max(found.get(setting, (-1.0, "")), (value, run.info.run_id))
    return found


def curve(client, experiment):
    (run,) = client.search_runs([experiment], max_results=1)
    return client.get_metric_history(run.info.run_id, "mood.macro_f1")


def top(client, experiment):
    return client.search_runs([experiment], order_by=["metrics.`mood.macro_f1` DESC"], max_results=10)


QUESTIONS = {"best_run_per_setting": best, "one_curve": curve, "top_10_with_params": top, "list_of_runs": pages}


def timed(question, client, experiment):
    """Milliseconds in the median of three, after one that does not count."""
    spent = []
    for _ in range(4):
        began = time.perf_counter()
        question(client, experiment)
        spent.append(1e3 * (time.perf_counter() - began))
    return median(spent[1:])


if __name__ == "__main__":
    main(MLflow)
