"""The grid by Ray Tune."""

from ray import tune
from training import HERE, finetune


def trial(config):
    tune.report({"accuracy": finetune(**config)})


if __name__ == "__main__":
    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space={
            "learning_rate": tune.grid_search([1e-4, 2e-4, 4e-4]),
            "weight_decay": tune.grid_search([0.0, 0.1]),
            "seed": tune.grid_search([13, 14]),
        },
        tune_config=tune.TuneConfig(metric="accuracy", mode="max", max_concurrent_trials=2),
        run_config=tune.RunConfig(name="bank", storage_path=str(HERE / "results")),
    )
    best = tuner.fit().get_best_result()
    print(best.config, best.metrics["accuracy"])
