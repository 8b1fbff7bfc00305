"""MMEngine's loops under a window, on a network of one layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS

from metering.ranks import OneRank
from tasks.errors import PlanError
from tasks.openmmlab import hook
from tasks.openmmlab.metered import MeteredRun
from tasks.plan import ModelPlan, Plan
from tests.tasks.counting_window import CountingWindow
from tests.tasks.openmmlab.tiny import config

NUM_TEST_SAMPLES = 6


@MODELS.register_module(force=True)
class OneLayer(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        output = self.layer(torch.stack(inputs))
        return {"loss": (output**2).mean()} if mode == "loss" else list(output)


@DATASETS.register_module(force=True)
class SixPoints(torch.utils.data.Dataset):  # type: ignore[type-arg]
    metainfo: ClassVar[dict[str, Any]] = {}

    def __len__(self) -> int:
        return NUM_TEST_SAMPLES

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"inputs": torch.tensor([float(index), 1.0]), "data_samples": index}


@METRICS.register_module(force=True)
class Seen(BaseMetric):
    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results += [1] * len(data_samples)

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        return {"num_seen": float(len(results))}


def _run(plan: Plan, endless: bool = True, whole: bool = False) -> MeteredRun:
    return MeteredRun(
        config("OneLayer", "SixPoints", "Seen"),
        plan,
        OneRank(),
        endless_test=endless,
        whole_test=whole,
    )


@pytest.mark.trains
def test_training_ends_when_the_window_is_satisfied(plan: Callable[..., Plan]) -> None:
    run, window = _run(plan()), CountingWindow(11)
    losses = run.train(window)  # three epochs of this set and a part
    assert window.samples == [2] * 11
    assert all(wait >= 0 for wait in window.waits_s)
    assert losses["loss"] > 0
    run.close()


@pytest.mark.trains
@pytest.mark.parametrize(("phase", "waits_s"), [("train", [0.05] * 7), ("test", [0.025] * 7)])
def test_an_iteration_waits_for_its_samples_and_not_for_its_computation(
    plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, phase: str, waits_s: list[float]
) -> None:
    clock = SimpleNamespace(now_s=0.0)

    def passes(method: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        def slow(*given: Any, **named: Any) -> Any:
            clock.now_s += seconds
            return method(*given, **named)

        return slow

    run, window = _run(plan()), CountingWindow(7)  # the set and a part of it again
    monkeypatch.setattr(hook, "time", SimpleNamespace(perf_counter=lambda: clock.now_s))
    monkeypatch.setattr(SixPoints, "__getitem__", passes(SixPoints.__getitem__, 0.025))
    monkeypatch.setattr(OneLayer, "forward", passes(OneLayer.forward, 0.3))
    (run.train if phase == "train" else run.test)(window)
    run.close()
    assert window.waits_s == pytest.approx(waits_s)  # batches of two in training, of one in tests


@pytest.mark.trains
def test_accumulated_gradients_are_one_step_of_the_optimizer_and_of_the_window(
    plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    updates: list[int] = []
    real = torch.optim.SGD.step
    monkeypatch.setattr(torch.optim.SGD, "step", lambda *given: (updates.append(1), real(*given)))
    run, window = _run(plan(batch_size=6, accumulation_steps=3)), CountingWindow(4)
    run.train(window)
    run.close()
    assert window.samples == [6] * 4
    assert len(updates) == 4


@pytest.mark.trains
def test_training_changes_the_weights(plan: Callable[..., Plan]) -> None:
    run = _run(plan())
    before = run.model.layer.weight.detach().clone()
    run.train(CountingWindow(3))
    assert not torch.equal(before, run.model.layer.weight)
    run.close()


@pytest.mark.trains
def test_an_endless_test_goes_round_and_its_metrics_count_the_set_once(
    plan: Callable[..., Plan],
) -> None:
    run, window = _run(plan()), CountingWindow(NUM_TEST_SAMPLES * 2 + 1)
    assert run.test(window) == {"num_seen": NUM_TEST_SAMPLES}
    assert len(window.samples) == NUM_TEST_SAMPLES * 2 + 1
    run.close()


@pytest.mark.trains
def test_a_test_cut_short_has_no_metrics(plan: Callable[..., Plan]) -> None:
    run = _run(plan())
    assert run.test(CountingWindow(2)) == {}
    run.close()


@pytest.mark.trains
def test_a_whole_test_sees_the_rest_of_the_set_unmetered(plan: Callable[..., Plan]) -> None:
    run, window = _run(plan(), whole=True), CountingWindow(2)
    assert run.test(window) == {"num_seen": NUM_TEST_SAMPLES}
    assert len(window.samples) == 2
    run.close()


@pytest.mark.trains
def test_a_test_that_is_not_endless_ends_with_the_set(plan: Callable[..., Plan]) -> None:
    run, window = _run(plan(), endless=False), CountingWindow(100)
    assert run.test(window) == {"num_seen": NUM_TEST_SAMPLES}
    assert len(window.samples) == NUM_TEST_SAMPLES
    run.close()


@pytest.mark.trains
def test_two_runs_in_one_process_do_not_share_their_loss_history(
    plan: Callable[..., Plan],
) -> None:
    for _ in range(2):
        run = _run(plan())
        run.train(CountingWindow(2))
        assert len(run.runner.message_hub.log_scalars["train/loss"].data[0]) == 2
        run.close()


@pytest.mark.trains
def test_mmengine_logs_to_a_file_and_not_to_the_terminal(
    plan: Callable[..., Plan], capfd: pytest.CaptureFixture[str]
) -> None:
    asked = plan()
    run = _run(asked)
    run.train(CountingWindow(1))
    run.runner.logger.info("a line for the file")
    run.close()
    shown = capfd.readouterr()
    assert shown.out == "" and "mmengine" not in shown.err
    (log,) = (asked.folder / "mmengine").rglob("*.log")
    assert "a line for the file" in log.read_text(encoding="utf-8")
    assert not list(asked.folder.rglob("*.pth"))


def test_a_checkpoint_is_loaded_and_a_foreign_one_refused(
    plan: Callable[..., Plan], tmp_path: Path
) -> None:
    weights = {"layer.weight": torch.tensor([[3.0, 4.0]]), "layer.bias": torch.zeros(1)}
    good, foreign = tmp_path / "good.pth", tmp_path / "foreign.pth"
    torch.save({"state_dict": weights, "meta": {"epoch": 1}}, good)
    torch.save({"state_dict": {"other": torch.zeros(1)}}, foreign)
    run = _run(plan(model=ModelPlan("one_layer", "segmentation", "x", checkpoint=str(good))))
    assert run.model.layer.weight.tolist() == [[3.0, 4.0]]
    run.close()
    with pytest.raises(PlanError, match=r"does not fit the model: 2 of 2 weights"):
        _run(plan(model=ModelPlan("one_layer", "segmentation", "x", checkpoint=str(foreign))))


@pytest.mark.trains
def test_a_checkpoints_weights_are_those_that_are_tested_after_training(
    plan: Callable[..., Plan], tmp_path: Path
) -> None:
    weights = {"layer.weight": torch.tensor([[3.0, 4.0]]), "layer.bias": torch.zeros(1)}
    torch.save(weights, tmp_path / "own.pth")
    model = ModelPlan("one_layer", "segmentation", "x", checkpoint=str(tmp_path / "own.pth"))
    run = _run(plan(model=model))
    run.train(CountingWindow(3))
    assert run.model.layer.weight.tolist() == [[3.0, 4.0]]
    run.close()
    only_trained = _run(plan(model=model, phases=("train",)))
    only_trained.train(CountingWindow(3))
    assert only_trained.model.layer.weight.tolist() != [[3.0, 4.0]]
    only_trained.close()


def test_half_precision_on_a_cpu_is_refused(plan: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match="precision=bf16 needs a GPU"):
        _run(plan(precision="bf16"))


def test_closing_twice_is_safe(plan: Callable[..., Plan]) -> None:
    run = _run(plan())
    run.close()
    run.close()


def test_a_log_line_begins_no_new_peak_of_memory(monkeypatch):
    """MMEngine resets PyTorch's peak with every line it logs."""
    from tasks.openmmlab.log_processor import PeakKeepingLogProcessor

    resets: list[bool] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda *_: resets.append(True))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 3 * 2**20)
    runner = SimpleNamespace(model=SimpleNamespace())
    assert PeakKeepingLogProcessor()._get_max_memory(runner) == 3
    assert resets == []
