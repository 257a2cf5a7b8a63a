"""A trial of the grid that Hydra's `--multirun` makes."""

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from training import finetune


@hydra.main(version_base=None, config_path=".", config_name="multirun")
def main(config):
    accuracy = finetune(**config)
    Path(HydraConfig.get().runtime.output_dir, "accuracy.txt").write_text(str(accuracy))


if __name__ == "__main__":
    main()
