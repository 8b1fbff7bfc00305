"""A load of known size on one NVIDIA GPU: matrix products, queued as training queues its steps."""

from __future__ import annotations

import time
from typing import Any, Protocol

STEP_S = 0.02
NUM_TRIED = 20  # products, after which their duration is known well enough


class GpuLoad(Protocol):
    """Steps of the same work, about `STEP_S` long."""

    def step(self) -> None:
        """Queue a step's work, without waiting for it."""

    def fill(self, slot_s: float, share: float) -> None:
        """Work for `share` of `slot_s` seconds, and have no work for the rest of them."""

    def wait(self) -> None:
        """Return when all queued work is done."""

    def rest(self) -> None:
        """The same; no more work comes for a while."""

    def mark(self) -> Any:
        """An instant on the device: when all work queued so far is done."""

    def between_s(self, first: Any, last: Any) -> float:
        """Seconds on the device between two marks that have passed."""

    def uuid(self) -> str | None:
        """The driver's name of the GPU in use."""


class CudaLoad:
    """Products of a square matrix with itself on the current CUDA device; see `GpuLoad`."""

    def __init__(self, size: int = 4096) -> None:
        import torch

        self._torch = torch
        self._matrix = torch.randn(size, size, device="cuda")
        self._num_products = NUM_TRIED
        self.step()  # starts cuBLAS and raises the clocks
        self.wait()
        began_s = time.perf_counter()
        self.step()
        self.wait()
        product_s = (time.perf_counter() - began_s) / NUM_TRIED
        self._num_products = max(1, round(STEP_S / product_s))

    def step(self) -> None:
        self._queue(self._num_products)

    def fill(self, slot_s: float, share: float) -> None:
        begins_s = time.perf_counter()
        self._queue(max(1, round(share * slot_s / STEP_S * self._num_products)))
        self.wait()
        time.sleep(max(0.0, begins_s + slot_s - time.perf_counter()))

    def _queue(self, num_products: int) -> None:
        for _ in range(num_products):
            self._torch.matmul(self._matrix, self._matrix)

    def wait(self) -> None:
        self._torch.cuda.synchronize()

    def rest(self) -> None:
        self.wait()

    def mark(self) -> Any:
        event = self._torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between_s(self, first: Any, last: Any) -> float:
        milliseconds: float = first.elapsed_time(last)
        return milliseconds / 1000

    def uuid(self) -> str | None:
        name = getattr(self._torch.cuda.get_device_properties(0), "uuid", None)
        return None if name is None else str(name)
