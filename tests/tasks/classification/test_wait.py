"""The wait for input is the loader's time and nothing else's, on a clock that the test moves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tasks.classification import session as classification
from tests.tasks.classification.test_session import SMALL, prepared
from tests.tasks.counting_window import CountingWindow

pytestmark = pytest.mark.trains

LOADER_S, COMPUTE_S = 0.05, 0.3


class Clock:
    now_s = 0.0

    def perf_counter(self) -> float:
        return self.now_s


class SlowLoader:
    """Two batches an epoch, each after `LOADER_S`."""

    sampler = dataset = None

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __iter__(self):
        for _ in range(2):
            self.clock.now_s += LOADER_S
            yield torch.zeros(4, 3, 64, 64), torch.zeros(4, dtype=torch.int64)


@pytest.mark.parametrize("phase", ["train", "test"])
def test_a_step_waits_for_its_batch_and_not_for_its_computation(compose, monkeypatch, phase):
    clock = Clock()
    session = prepared(
        compose(
            *SMALL,
            "model=test_resnet",
            "model.input_size=64",
            "batch_size=4",
            "hardware.accelerator=cpu",
        )
    )
    monkeypatch.setattr(classification, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    session.train_loader = session.test_loader = SlowLoader(clock)

    def computes(*_) -> None:
        clock.now_s += COMPUTE_S

    session.network.register_forward_hook(computes)
    window = CountingWindow(5)  # two epochs and a half
    (session.train if phase == "train" else session.test)(window)
    session.close()
    assert window.waits_s == pytest.approx([LOADER_S] * 5)
