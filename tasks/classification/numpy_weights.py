"""Weights of JAX in NumPy's archives, which timm's networks read for themselves: what they do not
find there they leave as it is, so that a head or a block would keep its random weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import PlanError

if TYPE_CHECKING:
    import torch

_SUFFIXES = (".npz", ".npy")
_BLOCK = re.compile(r"encoderblock_(\d+)/")
_SHOWN = 3


def is_named_so(checkpoint: str) -> bool:
    """Whether timm reads the file as one of these: it looks at its name."""
    return Path(checkpoint).suffix.lower() in _SUFFIXES


@contextmanager
def wholly_loaded(network: torch.nn.Module, checkpoint: str) -> Iterator[None]:
    """While timm loads `checkpoint` into `network`. Raises `PlanError` for a parameter that it left
    as it was, or a block of the file that the network does not have."""
    import torch

    _require_blocks(network, checkpoint)
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for value in parameters.values():
            value.fill_(torch.nan)
    yield
    left = [name for name, one in parameters.items() if one.numel() and bool(one.isnan().all())]
    if left:
        more = ", ..." if len(left) > _SHOWN else ""
        raise PlanError(
            f"checkpoint={checkpoint} does not fit the network: it has nothing for {len(left)} of "
            f"its {len(parameters)} parameters, or another number of classes "
            f"({', '.join(left[:_SHOWN])}{more}); give weights of this very network, or set "
            "data.options.num_classes"
        )


def _require_blocks(network: torch.nn.Module, checkpoint: str) -> None:
    import numpy as np

    blocks = getattr(network, "blocks", None)
    if blocks is None:
        return
    with np.load(Path(checkpoint).expanduser(), allow_pickle=False) as archive:
        numbers = {int(match[1]) for name in archive if (match := _BLOCK.search(name))}
    if len(numbers) > len(blocks):
        raise PlanError(
            f"checkpoint={checkpoint} does not fit the network: it has {len(numbers)} blocks, and "
            f"the network {len(blocks)}; give weights of this very network"
        )
