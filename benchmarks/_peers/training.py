"""The training function of the peers, as their users write it."""

from pathlib import Path

import numpy as np
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments, set_seed

HERE = Path(__file__).resolve().parent


def accuracy(found):
    return {"accuracy": float(np.mean(found.predictions.argmax(-1) == found.label_ids))}


def finetune(learning_rate, weight_decay, seed):
    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
    rows = load_dataset("csv", data_files={split: str(HERE / f"{split}.csv") for split in ("train", "test")})
    labels = sorted(set(rows["train"]["label"]))

    def encode(batch):
        encoded = tokenizer(batch["text"], truncation=True, max_length=48)
        return {**encoded, "labels": [labels.index(label) for label in batch["label"]]}

    rows = rows.map(encode, batched=True, remove_columns=["text", "label"])
    model = AutoModelForSequenceClassification.from_pretrained(HERE / "model", num_labels=len(labels), dtype="float32")
    arguments = TrainingArguments(
        output_dir=str(HERE / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=16,
        per_device_eval_batch_size=64,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        seed=seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Trainer(
        model,
        arguments,
        train_dataset=rows["train"],
        eval_dataset=rows["test"],
        processing_class=tokenizer,
        compute_metrics=accuracy,
    )
    trainer.train()
    return trainer.evaluate()["eval_accuracy"]
