"""Peak memory is that of the phase and of the run, not of all that the process ever held."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tasks.running import device
from tasks.running.execute import execute
from tests.tasks.classification.test_session import SMALL

CPU = torch.device("cpu")
QUICK = (
    *SMALL,
    "model.input_size=160",
    "batch_size=16",
    "meter=fixed",
    "meter.num_steps=1",
    "meter.num_warmup_steps=0",
    "meter.idle_s=0",
    "hardware=one_core",
    "checkpoint_write=false",
)


@pytest.fixture
def all_threads_again() -> Iterator[None]:
    yield
    device.set_threads(None)


@pytest.mark.trains
@pytest.mark.usefixtures("all_threads_again")
def test_a_peak_is_of_its_own_run_and_phase(compose):
    def peaks_mib(name: str, number: int) -> tuple[float, float]:
        record = execute(
            compose(*QUICK, f"model={name}", "repeats=3", f"repetition={number}")
        ).record
        train, test = (record.phases[phase].peak_memory_mib for phase in ("train", "test"))
        assert train is not None and test is not None
        return train, test

    small, _ = peaks_mib("test_resnet", number=1)
    large, large_test = peaks_mib("resnet50", number=2)
    after, _ = peaks_mib("test_resnet", number=3)
    assert large > small + 200
    assert after < small + 0.3 * (large - small)
    assert large_test < large - 100  # without what the backward pass needs


def test_a_peak_ends_where_the_next_one_begins():
    device.reset_peak_memory("cpu")
    before = device.peak_memory_mib(CPU)
    held = bytearray(400 << 20)
    del held
    # the system may take back pages of the rest meanwhile
    assert device.peak_memory_mib(CPU) > before + 200
    device.reset_peak_memory("cpu")
    assert device.peak_memory_mib(CPU) < before + 100


def test_where_the_system_refuses_a_new_peak_the_old_one_goes_on(monkeypatch):
    def refused(*_, **__):
        raise PermissionError("read-only /proc")

    held = bytearray(200 << 20)
    del held
    before = device.peak_memory_mib(CPU)
    monkeypatch.setattr(Path, "write_text", refused)
    device.reset_peak_memory("cpu")
    # the peak of the 200 MiB stays; the system may take back pages of the rest meanwhile
    assert device.peak_memory_mib(CPU) > before - 100


def test_without_proc_the_peak_is_getrusage_s(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("/proc/self/status")

    expected = device.peak_memory_mib(CPU)
    monkeypatch.setattr(Path, "read_text", missing)
    assert device.peak_memory_mib(CPU) == pytest.approx(expected, rel=0.5)


def test_on_a_gpu_pytorch_s_own_peak_begins_anew_and_is_read(monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda *_: calls.append("reset"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 3 << 20)
    device.reset_peak_memory("cuda")
    assert calls == ["reset"]
    assert device.peak_memory_mib(torch.device("cuda", 0)) == 3.0
