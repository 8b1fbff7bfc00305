"""The callback under the Trainer of transformers."""

from __future__ import annotations

import os
import time

import pytest
import torch

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from transformers import Trainer, TrainingArguments

import watt_for_what as watt
from watt_for_what.huggingface import WattCallback

pytestmark = pytest.mark.trains


class Net(torch.nn.Module):
    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.layer, self.fails_at, self.calls = torch.nn.Linear(4, 2), fails_at, 0

    def forward(self, x, labels=None):
        if not self.training:
            time.sleep(0.05)
        elif self.calls == self.fails_at:
            raise RuntimeError("a broken batch")
        self.calls += self.training
        logits = self.layer(x)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def train(tmp_path, callback, net=None, **options):
    data = [{"x": torch.randn(4), "labels": torch.tensor(0)} for _ in range(22)]
    said = dict(
        output_dir=str(tmp_path / "hf"),
        use_cpu=True,
        num_train_epochs=2,
        report_to=[],
        per_device_train_batch_size=2,
        gradient_accumulation_steps=2,
        disable_tqdm=True,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="no",
        per_device_eval_batch_size=11,
    )
    with callback:
        trainer = Trainer(
            net or Net(),
            TrainingArguments(**(said | options)),
            train_dataset=data,
            eval_dataset=data,
            callbacks=[callback],
        )
        trainer.train()
    return trainer


def test_a_whole_training(tmp_path):
    callback = WattCallback("net", whole=True, output_dir=tmp_path, quiet=True)
    train(tmp_path, callback)
    record = callback.record
    parts = {one.name: one for one in record.overheads}
    phase = record.phases["train"]
    assert record.status == "finished" and record.batch_size == 4
    assert sum(one.num_steps for one in phase.readings) == 12
    assert phase.num_samples == 44, "the last step of an epoch has two"
    assert parts["evaluation"].duration_s >= 4 * 0.05
    assert parts["checkpoint"].energy.total_kwh > 0
    assert record.setup.asked.network.endswith(":Net") and record.precision == "fp32"


def test_enough_is_measured_and_the_training_ends(tmp_path):
    settings = watt.MeterSettings(block_s=0.01, max_blocks=3, idle_s=0.0)
    said = dict(meter=settings, output_dir=tmp_path, quiet=True)
    callback = WattCallback("net", stops_training=True, **said)
    trainer = train(tmp_path, callback)
    assert callback.record.status == "finished" and trainer.state.global_step < 12


def test_a_failure_leaves_a_record(tmp_path):
    callback = WattCallback("net", whole=True, output_dir=tmp_path, quiet=True)
    with pytest.raises(RuntimeError, match="a broken batch"):
        train(tmp_path, callback, Net(fails_at=6))
    assert callback.record.status == "failed"
    assert sum(one.num_steps for one in callback.record.phases["train"].readings) == 3
