"""What compiling ahead of the measurement needs, whatever the library: PyTorch compiles when a
network first sees a batch, which would be inside a metered window."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasks.errors import OutOfMemory
from tasks.running import device as devices

if TYPE_CHECKING:
    import torch

    from tasks.plan import Plan


class CompileError(RuntimeError):
    """torch.compile cannot compile this network on this device: one line, with the cure."""

    def __init__(self, model: str, device: str, error: BaseException) -> None:
        cause = getattr(error, "inner_exception", error)  # what a backend's error wraps
        first = (str(cause).strip().splitlines() or [""])[0]
        super().__init__(
            f"compile=true: torch.compile fails for model={model} on {device} "
            f"({type(cause).__name__}: {first}); use compile=false"
        )


@contextmanager
def clear_errors(plan: Plan, device: torch.device) -> Iterator[None]:
    """What fails inside as `CompileError`: a back end may raise anything. Out of memory stays
    `OutOfMemory`; nothing is to be read from a disk inside."""
    try:
        with devices.memory_errors(plan.batch_size):
            yield
    except OutOfMemory:
        raise
    except Exception as error:
        raise CompileError(plan.model.name, device.type, error) from error


@contextmanager
def unchanged(network: Any, device: torch.device) -> Iterator[None]:
    """Buffers (BatchNorm's means), gradients, mode and random numbers are those from before."""
    import numpy as np
    import torch

    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    python, numpy, mode = random.getstate(), np.random.get_state(), network.training
    try:
        with torch.random.fork_rng([device.index] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        network.train(mode)
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
        for parameter in network.parameters():
            parameter.grad = None
