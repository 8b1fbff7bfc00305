"""torch.compile ahead of the measurement: what the compiler costs is set-up, not training.

PyTorch compiles when a network first sees a batch, which would be inside a metered window.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Protocol

from tasks.classification import networks as models
from tasks.classification.stages.step import Step
from tasks.plan import Plan
from tasks.running.compilation import clear_errors, unchanged

if TYPE_CHECKING:
    import torch


class Compilable(Protocol):
    """What is compiled: a session's network, its loaders, and how a batch passes through it."""

    plan: Plan
    network: Any
    step: Step
    train_loader: Any
    test_loader: Any
    device: torch.device

    def laid_out(self, images: Any) -> Any: ...

    def loss_of(self, images: Any, targets: Any) -> Any: ...

    def logits_of(self, images: Any) -> Any: ...


def compiled(network: Any) -> Any:
    """`network` under torch.compile, which works at its first batch: see `ahead`."""
    import torch

    # of an earlier run: of eight versions of one forward() the next would silently run uncompiled
    torch.compiler.reset()
    # dynamic=False: the last batch of a set is smaller, and a second size would otherwise make
    # every batch run on kernels for any size
    return torch.compile(network, dynamic=False)


def ahead(session: Compilable) -> None:
    """Compile what the plan's phases will run: forward and backward of a training batch, the
    forward of every size of test batch.

    Batches are blank, shaped and laid out as the loaders' own. Weights, buffers, gradients and
    random numbers are afterwards as before; the optimizer is not asked. Raises `CompileError`.
    """
    import torch

    phases, network = session.plan.phases, session.network
    with clear_errors(session.plan, session.device), unchanged(network, session.device):
        if "train" in phases:
            network.train()
            session.loss_of(*_blank(session, session.train_loader)).backward()
        if "test" in phases:
            network.eval()
            for num_samples in _test_sizes(session.test_loader):
                with torch.inference_mode():
                    session.logits_of(_blank(session, session.test_loader, num_samples)[0])


def _test_sizes(loader: Any) -> list[int]:
    """Numbers of samples of a rank's test batches: the full one, and the last of the set."""
    full = loader.loader.batch_size
    if not hasattr(loader.sampler, "__len__"):  # a stream
        return [full]
    total = len(loader.sampler)
    return [size for size in (min(full, total), total % full) if size]


def _blank(session: Compilable, loader: Any, num_samples: int | None = None) -> Any:
    """Images and targets as `loader` would give them, of black pixels."""
    import numpy as np

    for_test = loader is session.test_loader
    size = session.step.input_size or models.input_size(session.plan, for_test=for_test)
    pixels = np.zeros((3, size, size), np.uint8)
    # timm's prefetcher: it normalises on the device
    once = copy.copy(getattr(loader, "decoding", loader))
    once.loader = [
        loader.loader.collate_fn([(pixels, 0)] * (num_samples or loader.loader.batch_size))
    ]
    images, targets = next(iter(once))
    return session.laid_out(images), targets
