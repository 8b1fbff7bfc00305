"""Values of weights from a file: whether they are numbers that a network can compute with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tasks.errors import PlanError

if TYPE_CHECKING:
    import torch

_STATISTICS = ("running_mean", "running_var")


def require_real(checkpoint: str, network: torch.nn.Module, state: Mapping[str, Any]) -> None:
    """state: what stands for the network's weights, tensors or entries with a `dtype` as
    safetensors names it (`F32`, `I8`). Raises `PlanError` for integers and complex numbers in place
    of real ones: PyTorch would convert them silently."""
    for name, own in _tensors(network):
        if own.is_floating_point() and name in state and not _is_real(state[name]):
            kind = str(state[name].dtype).removeprefix("torch.")
            raise PlanError(
                f"checkpoint={checkpoint} has {kind} in place of real numbers ({name}), as of a "
                "quantised network, whose scales are not applied; give its weights in fp32, fp16 "
                "or bf16"
            )


def _tensors(network: torch.nn.Module) -> Iterable[tuple[str, torch.Tensor]]:
    """Of its state, which may have what is none (`get_extra_state`)."""
    return ((name, one) for name, one in network.state_dict().items() if hasattr(one, "shape"))


def _is_real(value: Any) -> bool:
    if isinstance(value.dtype, str):
        return value.dtype.startswith(("F", "BF"))
    return bool(value.is_floating_point()) and not value.is_quantized


def require_finite(checkpoint: str, network: torch.nn.Module) -> None:
    """Raises `PlanError` for loaded weights that are no numbers: what such a network answers has an
    accuracy, which means nothing. Other buffers may be infinite, such as a mask of attention."""
    kept = ((n, one) for n, one in network.named_buffers() if n.endswith(_STATISTICS))
    for name, value in (*network.named_parameters(), *kept):
        if not bool(value.isfinite().all()):
            raise PlanError(
                f"checkpoint={checkpoint} has weights that are infinite or no numbers ({name}), as "
                "of a training that diverged; give an earlier checkpoint"
            )


def require_no_prefix(
    checkpoint: str, own: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]]
) -> None:
    """own, given: shapes of the network's and of the file's weights by name. Raises `PlanError`
    where they are the same under names with one word more, as Lightning and wrappers save them."""
    first = next(iter(own), None)
    if first is None:
        return
    for prefix in {name.removesuffix(first) for name in given if name.endswith(f".{first}")}:
        if all(given.get(prefix + name) == shape for name, shape in own.items()):
            raise PlanError(
                f"checkpoint={checkpoint} has this network's weights under names that begin with "
                f"'{prefix}' ({prefix}{first}), beside others; save them alone and without it: "
                f"{{name.removeprefix('{prefix}'): value for name, value in state.items() if "
                f"name.startswith('{prefix}')}}"
            )
