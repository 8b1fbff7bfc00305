"""torch.compile ahead of the measurement: what the compiler costs is set-up, not training.

PyTorch compiles when a network first sees a batch, which would be inside a metered window.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tasks import classification_model as models

if TYPE_CHECKING:
    import torch

    from tasks.classification import ClassificationSession


class CompileError(RuntimeError):
    """torch.compile cannot compile this network on this device: one line, with the cure."""

    def __init__(self, model: str, device: str, error: BaseException) -> None:
        cause = getattr(error, "inner_exception", error)  # what a backend's error wraps
        first = (str(cause).strip().splitlines() or [""])[0]
        super().__init__(
            f"compile=true: torch.compile fails for model={model} on {device} "
            f"({type(cause).__name__}: {first}); use compile=false"
        )


def compiled(network: Any) -> Any:
    """`network` under torch.compile, which works at its first batch: see `ahead`."""
    import torch

    # of an earlier run: of eight versions of one forward() the next would silently run uncompiled
    torch.compiler.reset()
    # dynamic=False: the last batch of a set is smaller, and a second size would otherwise make
    # every batch run on kernels for any size
    return torch.compile(network, dynamic=False)


def ahead(session: ClassificationSession) -> None:
    """Compile what the plan's phases will run: forward and backward of a training batch, the
    forward of every size of test batch.

    Batches are blank, shaped and laid out as the loaders' own. Weights, buffers, gradients and
    random numbers are afterwards as before; the optimizer is not asked. Raises `CompileError`.
    """
    import torch

    phases, network = session.plan.phases, session.network
    try:
        with _unchanged(network, session.device):
            if "train" in phases:
                network.train()
                session.loss_of(*_blank(session, session.train_loader)).backward()
            if "test" in phases:
                network.eval()
                for num_samples in _test_sizes(session.test_loader):
                    with torch.inference_mode():
                        session.logits_of(_blank(session, session.test_loader, num_samples)[0])
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        raise CompileError(session.plan.model.name, session.device.type, error) from error


def _test_sizes(loader: Any) -> list[int]:
    """Numbers of samples of a rank's test batches: the full one, and the last of the set."""
    full, total = loader.loader.batch_size, len(loader.sampler)
    return [size for size in (min(full, total), total % full) if size]


def _blank(session: ClassificationSession, loader: Any, num_samples: int | None = None) -> Any:
    """Images and targets as `loader` would give them, of black pixels."""
    import numpy as np

    size = session.step.input_size or models.input_size(session.plan)
    pixels = np.zeros((3, size, size), np.uint8)
    once = copy.copy(loader)  # timm's prefetcher: it normalises on the device
    once.loader = [
        loader.loader.collate_fn([(pixels, 0)] * (num_samples or loader.loader.batch_size))
    ]
    images, targets = next(iter(once))
    return session.laid_out(images), targets


@contextmanager
def _unchanged(network: Any, device: torch.device) -> Iterator[None]:
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
