"""What a training step of a stage is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.classification.training import Training

if TYPE_CHECKING:
    from torch import nn


def loss_of_network(network: Any, images: Any, targets: Any) -> Any:
    """The network is its own loss: it answers with a scalar."""
    return network(images, targets)


@dataclass(frozen=True)
class Step:
    """One stage's step; `session.py` feeds it batches and takes the optimizer's step.

    network: what is trained; whatever else takes part (a tokenizer, a teacher) is frozen in it.
    setup: optimizer and augmentation.
    loss: (network, images (batch, 3, size, size), float and normalised, targets) -> a scalar.
    collate: turns a list of (pixels, label) of one batch into images and targets, in the
        loader's workers (None: labels as they are).
    input_size: pixels of the square images where they are not the model's own size.
    has_unused_parameters: some parameters get no gradient, which DistributedDataParallel
        must know.
    """

    network: nn.Module
    setup: Training
    loss: Callable[[Any, Any, Any], Any] = loss_of_network
    collate: Callable[[list[Any]], tuple[Any, Any]] | None = None
    input_size: int | None = None
    has_unused_parameters: bool = False
    notes: tuple[str, ...] = ()


def freeze(module: nn.Module) -> nn.Module:
    """`module` without gradients: a tokenizer or a teacher, whose forward pass is all we need."""
    return module.requires_grad_(False).eval()
