"""torch.compile of an OpenMMLab network works in set-up: no window pays for it, no file name makes
it compile anew, and nothing else is changed by it.

The network is tiny, since tracing a real one takes minutes; the back end: see `graphs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS
from torch import nn

from metering.ranks import OneRank
from tasks.errors import OutOfMemory, PlanError
from tasks.openmmlab.metered import MeteredRun
from tasks.openmmlab.unreadable import Unreadable
from tasks.plan import ModelPlan, Plan
from tasks.running.compilation import CompileError
from tests.tasks.counting_window import CountingWindow
from tests.tasks.openmmlab.tiny import config

pytestmark = pytest.mark.trains


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


# forward and backward of the backbone and of two heads; the backbone alone in a test
NUM_TRAIN_GRAPHS, NUM_TEST_GRAPHS = 6, 1
Run = Callable[..., MeteredRun]


@pytest.fixture
def run(plan: Callable[..., Plan]) -> Run:
    """A run that may be compiled ahead, of the plan's phases."""

    def make(phases: tuple[str, ...] = ("train", "test")) -> MeteredRun:
        asked = plan(model=ModelPlan("parts", "segmentation", "none"), compile=True, phases=phases)
        parts = config("Parts", "NamedImages", "Count")
        return MeteredRun(parts, asked, OneRank(), endless_test=True, whole_test=False)

    return make


def test_no_phase_compiles_anything_that_set_up_did_not(run: Run, graphs: list[Any]) -> None:
    each = run()
    note = each.compile_ahead()
    num_graphs = len(graphs)
    each.train(CountingWindow(4))
    each.test(CountingWindow(4))
    each.close()
    assert len(graphs) == num_graphs == NUM_TRAIN_GRAPHS + NUM_TEST_GRAPHS
    assert note == "torch.compile: backbone, auxiliary_head.0, auxiliary_head.1"


@pytest.mark.parametrize(
    ("phases", "expected"), [(("train",), NUM_TRAIN_GRAPHS), (("test",), NUM_TEST_GRAPHS)]
)
def test_only_the_phases_of_the_plan_are_compiled(
    run: Run, graphs: list[Any], phases: tuple[str, ...], expected: int
) -> None:
    each = run(phases)
    each.compile_ahead()
    assert len(graphs) == expected
    each.close()


def test_a_compiled_run_starts_from_the_state_before(run: Run, graphs: list[Any]) -> None:
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


def failing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give torch.compile a back end that raises `error`."""

    def broken(_graph: Any, _inputs: Any) -> Any:
        raise error

    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda net, **given: real(net, backend=broken, **given))


@pytest.mark.parametrize(
    ("cause", "raised", "words"),
    [
        (
            KeyError("op58"),
            CompileError,
            "compile=true: torch.compile fails for model=parts on cpu (KeyError: 'op58'); "
            "use compile=false",
        ),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            OutOfMemory,
            "batch_size=2 does not fit into the device's memory",
        ),
    ],
)
def test_a_compiler_that_fails_is_named_with_the_cure(
    run: Run, monkeypatch: pytest.MonkeyPatch, cause: Exception, raised: type[Exception], words: str
) -> None:
    failing(cause, monkeypatch)
    each = run()
    with pytest.raises(raised, match=re.escape(words)):
        each.compile_ahead()
    torch.compiler.reset()
    each.close()


def test_a_broken_image_is_no_error_of_the_compiler(
    run: Run, graphs: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: NamedImages, _index: int) -> Any:
        raise Unreadable("mask cannot be decoded: street.png")

    each = run()
    monkeypatch.setattr(NamedImages, "__getitem__", broken)
    with pytest.raises(PlanError, match=r"mask street\.png cannot be decoded"):
        each.compile_ahead()
    each.close()
    assert not graphs
