"""The device of a rank: nothing is emulated, and a broken GPU is no CPU run."""

from __future__ import annotations

import contextlib

import pytest
import torch

from benchmarks.simulation.nvml import Machine, SimulatedGpu
from launchers.local import among_visible
from tasks.errors import PlanError
from tasks.running import device

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")


@pytest.mark.parametrize("precision", ["bf16", "tf32"])
def test_what_a_gpu_only_emulates_is_refused_with_its_capability(monkeypatch, precision) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla V100-SXM2-32GB")
    said = rf"precision={precision} needs compute capability 8\.0, and Tesla V100.* has 7\.0"
    with pytest.raises(PlanError, match=said):
        device.refuse_emulated(precision, GPU)
    device.refuse_emulated("fp16", GPU)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 6))
    device.refuse_emulated(precision, GPU)


@pytest.mark.parametrize(
    ("precision", "override", "is_refused"),
    [("fp32", "1", True), ("tf32", "0", True), ("fp32", "0", False), ("bf16", "1", False)],
)
def test_an_environment_that_changes_the_precision_is_refused(
    precision: str, override: str, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", override)
    device.refuse_override(precision, CPU)
    refusal = pytest.raises(PlanError, match="unset that variable")
    with refusal if is_refused else contextlib.nullcontext():
        device.refuse_override(precision, torch.device("cuda"))


def test_tf32_on_a_cpu_is_refused_and_bf16_is_not() -> None:
    with pytest.raises(PlanError, match="plain fp32 on a CPU"):
        device.refuse_emulated("tf32", CPU)
    device.refuse_emulated("bf16", CPU)


def test_a_driver_that_does_not_work_is_no_silent_cpu_run(monkeypatch) -> None:
    words = "RM has detected an NVML/RM version mismatch."
    monkeypatch.setattr(device, "driver_problem", lambda: words)
    with pytest.raises(PlanError, match=r"version mismatch\. .*hardware\.accelerator=cpu"):
        device.choose("auto", 0)
    assert device.choose("cpu", 0) == CPU
    monkeypatch.setattr(device, "driver_problem", lambda: None)
    assert device.choose("auto", 0) == CPU


def test_a_gpu_that_pytorch_does_not_use_is_no_silent_cpu_run(monkeypatch) -> None:
    """A PyTorch without CUDA beside a driver that works: the usual wheel of a laptop."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    Machine(SimulatedGpu("GPU-a", name="NVIDIA A100")).install(monkeypatch)
    said = r"this job has NVIDIA A100, which PyTorch \S+ cannot use: .*hardware\.accelerator=cpu"
    with pytest.raises(PlanError, match=said):
        device.choose("auto", 0)
    assert device.choose("cpu", 0) == CPU
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert device.choose("auto", 0) == CPU


def test_a_gpu_of_the_job_that_fell_off_the_bus_is_named(monkeypatch) -> None:
    Machine(SimulatedGpu("GPU-a", lost=True)).install(monkeypatch)
    with pytest.raises(PlanError, match="GPU 0 of this job does not answer: GPU is lost"):
        device.choose("auto", 0)


@pytest.mark.parametrize(
    ("mask", "devices", "visible"),
    [("4,5", [0], "4"), ("4,5", [1], "5"), ("GPU-aa,GPU-bb", [1, 0], "GPU-bb,GPU-aa")],
)
def test_a_launchers_devices_are_places_in_the_mask_of_the_job(mask, devices, visible) -> None:
    assert among_visible(devices, mask) == visible


def test_a_place_beyond_the_mask_is_refused() -> None:
    with pytest.raises(PlanError, match=r"names GPU 2, but CUDA_VISIBLE_DEVICES=4,5 leaves 2"):
        among_visible([2], "4,5")
