"""The callback under Lightning's own Trainer."""

from __future__ import annotations

import logging
import time
import warnings

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset

import watt_for_what as watt
from watt_for_what.lightning import WattCallback, num_samples

pytestmark = pytest.mark.trains


class Net(LightningModule):
    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__()
        self.layer, self.fails_at = torch.nn.Linear(4, 2), fails_at

    def training_step(self, batch, index):
        if index == self.fails_at:
            raise RuntimeError("a broken batch")
        return torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

    def validation_step(self, batch, index):
        time.sleep(0.05)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(tmp_path, callback, net=None, **options):
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    data = TensorDataset(torch.randn(22, 4), torch.zeros(22, dtype=torch.long))
    saves = ModelCheckpoint(dirpath=tmp_path / "weights", save_top_k=-1)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[callback, saves],
        **options,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loader = DataLoader(data, batch_size=4)
        trainer.fit(net or Net(), loader, DataLoader(data, batch_size=11))
    return trainer


def test_a_whole_training(tmp_path):
    callback = WattCallback("net", batch_size=4, whole=True, output_dir=tmp_path, quiet=True)
    fit(tmp_path, callback)
    record = callback.record
    train = record.phases["train"]
    parts = {one.name: one for one in record.overheads}
    assert record.status == "finished"
    assert sum(one.num_steps for one in train.readings) == 12
    assert train.num_samples == 44, "the last batch of an epoch has two"
    assert parts["evaluation"].duration_s >= 4 * 0.05, "not the sanity check before the training"
    assert parts["checkpoint"].energy.total_kwh > 0
    assert record.setup.asked.network.endswith(":Net") and record.facts.params_m == 10 / 1e6


def test_enough_is_measured_and_the_training_ends(tmp_path):
    settings = watt.MeterSettings(block_s=0.01, max_blocks=3, idle_s=0.0)
    said = dict(batch_size=4, meter=settings, output_dir=tmp_path, quiet=True)
    callback = WattCallback("net", stops_training=True, **said)
    trainer = fit(tmp_path, callback)
    steps = sum(one.num_steps for one in callback.record.phases["train"].readings)
    assert callback.record.status == "finished" and steps <= trainer.global_step < 12


def test_a_failure_leaves_a_record_and_the_next_training_begins(tmp_path):
    callback = WattCallback("net", batch_size=4, whole=True, output_dir=tmp_path, quiet=True)
    with pytest.raises(RuntimeError, match="a broken batch"):
        fit(tmp_path, callback, Net(fails_at=3))
    assert callback.record.status == "failed"
    assert callback.record.failure.message == "a broken batch"
    assert sum(one.num_steps for one in callback.record.phases["train"].readings) == 3
    fit(tmp_path, callback)
    assert callback.record.status == "finished"


@pytest.mark.parametrize(
    "batch",
    [
        torch.zeros(3, 4),
        (torch.zeros(3, 4), torch.zeros(3)),
        {"image": torch.zeros(3, 4)},
        ["a", "b", "c"],
        [{"image": torch.zeros(3)}],
        [[0, 1], [0], [2]],
    ],
)
def test_samples_of_a_batch(batch):
    assert num_samples(batch) == 3
