"""The peer: the Hugging Face Trainer with its defaults, as a process that prints JSON."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from pathlib import Path


def main(job: dict) -> dict:
    """Fine-tune on `train`, score on `test`."""
    import numpy as np
    from datasets import Dataset
    from sklearn.metrics import f1_score
    from transformers import (
        AutoModelForSequenceClassification,
        PreTrainedTokenizerFast,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(job["seed"])
    tokenizer = PreTrainedTokenizerFast.from_pretrained(job["model"])
    tables = {split: rows(Path(job[split])) for split in ("train", "test")}
    labels = sorted({label for _, label in tables["train"]})
    data = {}
    for split, table in tables.items():
        encoded = tokenizer([text for text, _ in table], truncation=True, max_length=job["max_length"])
        data[split] = Dataset.from_dict({**encoded, "labels": [labels.index(label) for _, label in table]})
    model = AutoModelForSequenceClassification.from_pretrained(job["model"], num_labels=len(labels))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=job["epochs"],
            per_device_train_batch_size=job["batch_size"],
            learning_rate=job["learning_rate"],
            seed=job["seed"],
            report_to="none",
            disable_tqdm=True,
        )
        trainer = Trainer(model, arguments, train_dataset=data["train"], processing_class=tokenizer)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
        predicted = np.argmax(trainer.predict(data["test"]).predictions, -1)
    return {
        "seconds": seconds,
        "examples": len(tables["train"]) * job["epochs"],
        "macro_f1": float(f1_score(data["test"]["labels"], predicted, average="macro")),
    }


def rows(file: Path) -> list[tuple[str, str]]:
    """Texts and labels of a CSV file."""
    with file.open(newline="", encoding="utf-8") as stream:
        return [(row["text"], row["label"]) for row in csv.DictReader(stream)]


if __name__ == "__main__":
    print("RESULT " + json.dumps(main(json.loads(sys.argv[1]))))
