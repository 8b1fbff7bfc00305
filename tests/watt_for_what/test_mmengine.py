"""MMEngine's own Runner under the hook: steps, validation and checkpoints are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner

import watt_for_what as watt
from watt_for_what.mmengine import WattHook

pytestmark = pytest.mark.trains
NUM_SAMPLES = 8


class OneLayer(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        output = self.layer(torch.stack(inputs))
        return {"loss": (output**2).mean()} if mode == "loss" else list(output)


class Points(torch.utils.data.Dataset):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return NUM_SAMPLES

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": torch.tensor([float(index), 1.0])}


class Seen(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results += [1] * len(data_samples)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return {"num_seen": float(len(results))}


def runner(folder: Path, accumulative_counts: int = 1) -> Runner:
    """Two epochs of four batches, each epoch validated and kept."""
    loader = {
        "batch_size": 2,
        "num_workers": 0,
        "dataset": Points(),
        "sampler": {"type": "DefaultSampler", "shuffle": False},
    }
    return Runner(
        model=OneLayer(),
        work_dir=str(folder / "work"),
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": 2, "val_interval": 1},
        val_cfg={},
        val_evaluator=Evaluator(Seen()),
        optim_wrapper={
            "optimizer": {"type": "SGD", "lr": 0.01},
            "accumulative_counts": accumulative_counts,
        },
        default_hooks={"checkpoint": {"type": "CheckpointHook", "interval": 1}},
        experiment_name=folder.name,
        log_level="ERROR",
    )


@pytest.mark.trains
@pytest.mark.parametrize(("accumulated", "steps", "batch_size"), [(1, 8, 2), (2, 4, 4)])
def test_a_whole_training_is_in_its_parts(
    tmp_path: Path, accumulated: int, steps: int, batch_size: int
) -> None:
    made = runner(tmp_path, accumulated)
    with WattHook("points", whole=True, output_dir=tmp_path, device="cpu", quiet=True) as hook:
        made.register_hook(hook)
        made.train()
    record = hook.record
    assert record is not None and record.status == "finished"
    readings = record.phases["train"].readings
    assert sum(one.num_steps for one in readings) == steps
    assert sum(one.num_samples for one in readings) == 2 * NUM_SAMPLES
    assert record.batch_size == batch_size
    assert record.setup.asked.network == f"{__name__}:OneLayer"
    assert {"evaluation", "checkpoint"} <= {one.name for one in record.overheads}
    assert (tmp_path / "work/epoch_2.pth").is_file()


@pytest.mark.trains
def test_the_training_may_end_when_enough_is_measured(tmp_path: Path) -> None:
    made = runner(tmp_path)
    meter = watt.MeterSettings(mode="fixed", num_steps=3, block_s=0.01, idle_s=0.0)
    said: dict[str, Any] = {"output_dir": tmp_path, "device": "cpu", "quiet": True, "meter": meter}
    with WattHook("points", stops_training=True, **said) as hook:
        made.register_hook(hook)
        made.train()
    assert hook.record is not None and hook.record.status == "finished"
    assert made.iter < 8


@pytest.mark.trains
def test_an_error_of_the_training_leaves_a_record_and_is_raised(tmp_path: Path) -> None:
    made = runner(tmp_path)
    made.model.layer = torch.nn.Linear(3, 1)  # the points have two numbers
    with (
        pytest.raises(RuntimeError, match="shapes cannot be multiplied"),
        WattHook("points", output_dir=tmp_path, device="cpu", quiet=True) as hook,
    ):
        made.register_hook(hook)
        made.train()
    assert hook.record is not None and hook.record.status == "failed"
