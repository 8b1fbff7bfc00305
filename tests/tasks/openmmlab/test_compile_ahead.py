"""torch.compile of an OpenMMLab network works in set-up: no window pays for it, no file name makes
it compile anew, and nothing else is changed by it.

The network is tiny, since tracing a real one takes minutes; the back end: see `graphs`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS
from torch import nn

from metering.ranks import OneRank
from metering.settings import MeterSettings
from tasks.compilation import CompileError
from tasks.openmmlab.metered import MeteredRun
from tasks.plan import DataPlan, HardwarePlan, ModelPlan, Plan
from tests.tasks.counting_window import CountingWindow


class SampleHead(nn.Module):
    """As Mask2Former's: it looks into the samples."""

    def forward(self, features: Any, batch_data_samples: Any) -> Any:
        return features.sum(dim=(1, 2, 3)) + len(batch_data_samples["name"][0])


@MODELS.register_module(force=True)
class Parts(BaseModel):
    """A network in the parts that MMSegmentation's and MMAction2's have."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        self.auxiliary_head = nn.ModuleList([nn.Conv2d(2, 1, 1), nn.Conv2d(2, 1, 1)])
        self.decode_head = SampleHead()

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        features = self.backbone(torch.stack(inputs))
        output = self.decode_head(features, data_samples)
        if mode != "loss":
            return list(output)
        extra = sum(head.forward(features).mean() for head in self.auxiliary_head)
        return {"loss": (output**2).mean() + extra}


@DATASETS.register_module(force=True)
class NamedImages(torch.utils.data.Dataset):  # type: ignore[type-arg]
    metainfo: ClassVar[dict[str, Any]] = {}

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": torch.rand(1, 8, 8), "data_samples": {"name": f"image-{index}.png"}}


@METRICS.register_module(force=True)
class Count(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results += [1] * len(data_samples)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return {"num": float(len(results))}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., MeteredRun]:
    def make(phases: tuple[str, ...] = ("train", "test")) -> MeteredRun:
        loader = {
            "batch_size": 2,
            "num_workers": 0,
            "dataset": {"type": "NamedImages"},
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "collate_fn": {"type": "pseudo_collate"},
        }
        config = Config(
            {
                "model": {"type": "Parts"},
                "train_dataloader": loader,
                "test_dataloader": loader,
                "train_cfg": {"by_epoch": True, "max_epochs": 1},
                "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}},
                "test_evaluator": {"type": "Count"},
            }
        )
        plan = Plan(
            task="segmentation", model=ModelPlan("parts", "segmentation", "none"),
            data=DataPlan("points", num_workers=0),
            hardware=HardwarePlan("local", accelerator="cpu"), meter=MeterSettings(),
            batch_size=2, output_dir=tmp_path, compile=True, phases=phases,
        )  # fmt: skip
        return MeteredRun(config, plan, OneRank(), endless_test=True, whole_test=False)

    return make


def test_no_phase_compiles_anything_that_set_up_did_not(
    run: Callable[..., MeteredRun], graphs: list[Any]
) -> None:
    each = run()
    note = each.compile_ahead()
    num_graphs = len(graphs)
    each.train(CountingWindow(4))
    each.test(CountingWindow(4))
    each.close()
    assert len(graphs) == num_graphs
    assert num_graphs == 7  # see below
    assert note == "torch.compile: backbone, auxiliary_head.0, auxiliary_head.1"


# forward and backward of the backbone and of two heads; the backbone in the test
@pytest.mark.parametrize(("phases", "expected"), [(("train",), 6), (("test",), 1)])
def test_only_the_phases_of_the_plan_are_compiled(
    run: Callable[..., MeteredRun], graphs: list[Any], phases: tuple[str, ...], expected: int
) -> None:
    each = run(phases)
    each.compile_ahead()
    assert len(graphs) == expected
    each.close()


def test_a_compiled_run_starts_from_the_state_before(
    run: Callable[..., MeteredRun], graphs: list[Any]
) -> None:
    """Weights, BatchNorm's means, gradients, optimizer and random numbers."""
    each = run()
    before = {name: value.clone() for name, value in each.model.state_dict().items()}
    random_state = torch.get_rng_state()
    each.compile_ahead()
    after = each.model.state_dict()
    assert graphs and before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert torch.equal(random_state, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in each.model.parameters())
    assert not each.runner.optim_wrapper.optimizer.state
    each.close()


def test_a_compiler_that_fails_is_named_with_the_cure(
    run: Callable[..., MeteredRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_graph: Any, _inputs: Any) -> Any:
        raise KeyError("op58")

    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda net, **given: real(net, backend=broken, **given))
    each = run()
    with pytest.raises(CompileError) as failure:
        each.compile_ahead()
    torch.compiler.reset()
    each.close()
    assert str(failure.value) == (
        "compile=true: torch.compile fails for model=parts on cpu (KeyError: 'op58'); "
        "use compile=false"
    )
