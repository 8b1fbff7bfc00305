"""The least memory of a training step, beside what small steps were measured to take."""

from __future__ import annotations

import os
from collections.abc import Callable

import psutil
import pytest
import torch
from torch import nn

from metering.ranks import OneRank
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running import device as devices
from tasks.running import step_memory
from tests.tasks.counting_window import CountingWindow

MIB = 2**20
CPU = torch.device("cpu")


def convolutions(width: int, depth: int) -> nn.Module:
    parts = [nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.GELU()) for _ in range(depth)]
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), *parts)


def transformer(width: int, depth: int) -> nn.Module:
    layer = nn.TransformerEncoderLayer(width, 4, 4 * width, batch_first=True, dropout=0.0)
    return nn.TransformerEncoder(layer, depth)


@pytest.mark.trains
@pytest.mark.parametrize(
    ("network", "shape"),
    [(convolutions(32, 10), (4, 3, 160, 160)), (transformer(256, 4), (8, 256, 256))],
)
def test_a_step_takes_the_least_and_little_more(network: nn.Module, shape: tuple[int, ...]) -> None:
    twin = step_memory.on_meta(network).train()
    saved = step_memory.Saved(twin)
    with torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda tensor: tensor):
        twin(torch.zeros(shape, device="meta"))
    least = saved.num_bytes / MIB  # the weights are there already
    network.train()(torch.zeros(1, *shape[1:]))  # libraries set their own memory aside
    devices.reset_peak_memory("cpu")
    before = psutil.Process(os.getpid()).memory_info().rss / MIB
    network(torch.randn(shape)).sum().backward()
    measured = (devices.peak_memory_mib(CPU) or 0) - before
    assert least > 100
    assert 0.9 * least < measured < 1.8 * least  # the allocator may still hold some


def test_what_stays_and_what_comes_and_goes_is_added_as_it_is_held() -> None:
    network = nn.Linear(1000, 1000, bias=False)  # 4 MB

    def least(saved: int, copies: int, keeps: bool) -> float:
        return (
            step_memory.least_bytes(network, saved, num_copies=copies, keeps_gradients=keeps) / 1e6
        )

    assert least(0, 0, False) == 8  # weights, and their gradients after the backward pass
    assert least(10_000_000, 0, False) == 14  # gradients come when what was kept goes
    assert least(10_000_000, 2, True) == 26


@pytest.mark.slow
def test_setr_at_its_native_size_is_refused_where_it_cannot_fit(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An eighth of the layers, and of the memory."""
    from tasks.segmentation import session

    monkeypatch.setattr(devices, "total_memory", lambda *_: 3 * 2**30)
    plan = compose(
        "model=setr",
        "batch_size=2",
        "hardware.accelerator=cpu",
        "data.num_workers=0",
        "data.options.num_files=2",
        "data.options.sizes=[[64,32]]",
        "+model.options.overrides={model.backbone.num_layers: 3, "
        "model.backbone.out_indices: [0, 1, 2, 2]}",
    )
    with pytest.raises(PlanError) as refusal:
        session.prepare(plan, OneRank(), lambda _: None)
    assert "batch_size=2 of model=setr needs at least" in str(refusal.value)
    assert "model.options.crop=" in str(refusal.value)


def test_a_containers_limit_is_the_memory_that_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    (tmp_path / "memory.max").write_text(f"{64 * MIB}\n")
    (tmp_path / "none").write_text("max\n")
    files = (str(tmp_path / "memory.max"), str(tmp_path / "none"), str(tmp_path / "absent"))
    monkeypatch.setattr(devices, "CGROUP_LIMITS", files)
    assert devices.total_memory(CPU, 2) == 32 * MIB


@pytest.mark.trains
def test_a_small_one_is_let_pass_and_takes_at_least_what_was_said(
    compose: Callable[..., Plan],
) -> None:
    from tasks.openmmlab import memory
    from tasks.segmentation import session
    from tasks.segmentation.facts import train_pass

    plan = compose(
        "model=mmseg",
        "model.config=unet-s5-d16_fcn_4xb4-160k_cityscapes-512x1024",
        "batch_size=2",
        "hardware.accelerator=cpu",
        "data.num_workers=0",
        "scale=small",
        "data.options.num_files=2",
        "phases=[train]",
    )
    prepared = session.prepare(plan, OneRank(), lambda _: None)
    least = memory.least_bytes(prepared.run, plan, train_pass, (2, 3, 64, 128)) / MIB
    weights = sum(one.numel() for one in prepared.run.model.parameters()) * 4 / MIB
    devices.reset_peak_memory("cpu")
    before = psutil.Process(os.getpid()).memory_info().rss / MIB
    prepared.train(CountingWindow(2))
    measured = weights + (devices.peak_memory_mib(CPU) or 0) - before
    prepared.close()
    assert 0.8 * least < measured < 2.5 * least
