"""Parameters and GMACs of a network as it was built."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def params_m(model: torch.nn.Module, without: tuple[str, ...] = ()) -> float:
    """Parameters in millions, except those whose names start with one of `without`."""
    counted = (p.numel() for name, p in model.named_parameters() if not name.startswith(without))
    return sum(counted) / 1e6


def fingerprint(network: torch.nn.Module) -> str:
    """16 hex digits over the network as it is built: names, shapes and types of its parameters and
    buffers, and the classes of its modules; not its weights. Wrappers of data parallelism and
    compilation are left out, which change no result."""
    for name in ("module", "_orig_mod", "module"):
        network = getattr(network, name, network)
    parts = [f"{name} {type(module).__qualname__}" for name, module in network.named_modules()]
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        parts.append(f"{name} {tuple(tensor.shape)} {tensor.dtype}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def gmacs(
    model: torch.nn.Module,
    forward: Callable[[Any], Any],
    shape: tuple[int, ...],
    *,
    symbolic: bool = True,
) -> float:
    """GMACs of `forward(input)` with an input of `shape`, in evaluation mode.

    Counts convolutions, matrix products and attention (half of what PyTorch's FlopCounterMode
    gives), as the field's figures do. `symbolic` computes nothing, but forbids a forward pass
    whose shapes depend on values. The model's mode is as before when this returns.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode

    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    counter: Any = FlopCounterMode(display=False)
    counter.mod_tracker = _NoModules()
    try:
        with torch.no_grad(), _unfused_attention(), counter:
            if symbolic:
                with FakeTensorMode(allow_non_fake_inputs=True):
                    forward(torch.zeros(shape, device=device))
            else:
                forward(torch.zeros(shape, device=device))
    finally:
        model.train(was_training)
    return float(counter.get_total_flops()) / 2e9


class _NoModules:
    """In place of PyTorch's tracker, which counts for each module alone and, without gradients,
    fails where a parameter itself (a class token, a query) is the input of a module."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


@contextmanager
def _unfused_attention() -> Iterator[None]:
    """Attention as matrix products: fused kernels are invisible to the counter on the CPU."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    was_enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was_enabled)
