"""Weights of a classification network: a file's, or those that timm publishes; checked against the
network by name and shape before the network is built."""

from __future__ import annotations

import argparse
import pickle
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, Any

from tasks.classification import numpy_weights
from tasks.config import weight_names, weight_values
from tasks.config.weight_files import PRETRAINED
from tasks.errors import PlanError
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

_FILLED_IN = "num_batches_tracked"  # PyTorch fills it in where a file is older than it
_NOT_ALLOWED = re.compile(r"GLOBAL (\S+) was not an allowed global")  # PyTorch's words
_OTHER_TENSORS = ("Quantized", "quantized", "Sparse", "meta tensor")
_SHOWN = 3


def note(plan: Plan, network: torch.nn.Module) -> str | None:
    """What a reader of the record must know of the weights that are used."""
    path = plan.model.checkpoint
    if path is None:
        return None
    if path == PRETRAINED:
        return f"weights that timm publishes for {plan.model.source}"
    if numpy_weights.is_named_so(path):
        return f"weights of {Path(path).name}"
    chosen = _chosen(plan, _within(network), _content(path))
    kind, other = ("EMA", "plain") if chosen.is_average else ("plain", "ema")
    words = f"weights of {Path(path).name}: the {kind} ones"
    if chosen.has_both:
        words += f"; the file has both, checkpoint_weights={other} takes the others"
    elif chosen.is_average and plan.model.checkpoint_weights == "plain":
        words += "; the file has no others"
    return f"{words}, {chosen.note}" if chosen.note else words


def require_fit(plan: Plan, network: torch.nn.Module) -> None:
    """Compare names and shapes of the file's weights with `network`, which may be on the meta
    device. Raises `PlanError`."""
    path = plan.model.checkpoint
    if path is None or path == PRETRAINED or numpy_weights.is_named_so(path):
        return
    network = _within(network)
    state = _chosen(plan, network, _content(path)).weights
    given = {name: tuple(value.shape) for name, value in state.items() if _is_tensor(name)}
    own = {n: tuple(tensor.shape) for n, tensor in network.state_dict().items() if _is_tensor(n)}
    _require_same_classes(plan, network, given, own)
    filled_in = _tied(network, given)
    missing = [
        name
        for name in own
        if name not in given and name not in filled_in and not name.endswith(_FILLED_IN)
    ]
    surplus = [name for name in given if name not in own]
    other = [name for name in own if name in given and own[name] != given[name]]
    if not (missing or surplus or other):
        return weight_values.require_real(path, network, state)
    weight_values.require_no_prefix(path, own, given)
    parts = [
        f"{len(names)} {words} ({', '.join(names[:_SHOWN])}{', ...' * (len(names) > _SHOWN)})"
        for names, words in (
            (missing, "of the network's are missing"),
            (surplus, "have no place in it"),
            (other, "have another shape"),
        )
        if names
    ]
    raise PlanError(
        f"checkpoint={path} does not fit model={plan.model.name}: of its weights "
        f"{', '.join(parts)}; give weights of this very network, or its model.options"
    )


def load(network: torch.nn.Module, plan: Plan) -> None:
    """The file's weights into `network`. Raises `PlanError` where they do not fit."""
    path = plan.model.checkpoint
    assert path is not None
    network = _within(network)
    try:
        if numpy_weights.is_named_so(path):
            _load_numpy(network, path)
        else:
            state = dict(_chosen(plan, network, _numbers(path)).weights)
            tied = {name: state[one] for name, one in _tied(network, state).items()}
            network.load_state_dict(state | tied)
    except (RuntimeError, ValueError, KeyError, NotImplementedError, OSError) as error:
        if isinstance(error, PlanError):
            raise
        message = " ".join(str(error).split())[:300]
        raise PlanError(
            f"checkpoint={path} does not fit the network: {message}; give weights of this network"
        ) from None
    weight_values.require_finite(path, network)


def _load_numpy(network: torch.nn.Module, path: str) -> None:
    """By timm."""
    from timm.models import load_checkpoint

    with numpy_weights.wholly_loaded(network, path):
        load_checkpoint(network, str(Path(path).expanduser()))


def _numbers(path: str) -> Mapping[str, Any]:
    """What the file holds."""
    import torch
    from safetensors.torch import load_file

    file = Path(path).expanduser()
    if file.suffix.lower() == ".safetensors":
        state: Mapping[str, Any] = load_file(file)
        return state
    with _plain_values():
        content: Mapping[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return content


def _within(network: torch.nn.Module) -> torch.nn.Module:
    """The network that `torch.compile` or `DataParallel` wraps: timm takes what they put before the
    names out of a file's."""
    children = dict(network.named_children())
    inner = children.get("_orig_mod", children.get("module"))
    own = [*network.parameters(recurse=False), *network.buffers(recurse=False)]
    return network if inner is None or len(children) > 1 or own else _within(inner)


def _is_tensor(name: str) -> bool:
    """Whether it is of a parameter or buffer, and not what a module adds (`get_extra_state`)."""
    return name.rpartition(".")[2] != "_extra_state"


def _tied(network: torch.nn.Module, given: Collection[str]) -> dict[str, str]:
    """Parameters that are not given, with another name of theirs that is: of tied weights
    safetensors keeps one."""
    names: dict[int, list[str]] = {}
    for name, value in network.named_parameters(remove_duplicate=False):
        names.setdefault(id(value), []).append(name)
    return {
        name: source
        for of_one in names.values()
        if (source := next((one for one in of_one if one in given), None)) is not None
        for name in of_one
        if name not in given
    }


def _require_same_classes(
    plan: Plan,
    network: torch.nn.Module,
    given: Mapping[str, tuple[int, ...]],
    own: Mapping[str, tuple[int, ...]],
) -> None:
    for name in _heads(network):
        ours, theirs = own.get(name), given.get(name)
        if ours and theirs and ours[0] != theirs[0] and ours[1:] == theirs[1:]:
            raise PlanError(
                f"checkpoint={plan.model.checkpoint} has {theirs[0]} classes, and "
                f"data={plan.data.name} has {ours[0]}; give weights for these classes, or data "
                f"with {theirs[0]} (data.options.num_classes)"
            )


def _heads(network: torch.nn.Module) -> list[str]:
    """Names of the weights of the last layers, as timm tells them."""
    pretrained_cfg = getattr(network, "pretrained_cfg", None) or {}
    names = pretrained_cfg.get("classifier") or ()
    names = (names,) if isinstance(names, str) else names
    return [f"{name}.weight" for name in names]


def _chosen(
    plan: Plan, network: torch.nn.Module, content: Mapping[str, Any]
) -> weight_names.Chosen:
    """content: the file's, with or without numbers. Raises `PlanError` where it has no weights."""
    path = str(plan.model.checkpoint)
    own = {n: tuple(one.shape) for n, one in network.state_dict().items() if _is_tensor(n)}
    wants_average = plan.model.checkpoint_weights == "ema"
    chosen = weight_names.choose(content, own, wants_average=wants_average)
    if chosen is None:
        raise PlanError(f"checkpoint={path} has no EMA weights; leave checkpoint_weights=ema out")
    key, state = chosen.key, chosen.weights
    if not isinstance(state, Mapping) or not state:
        raise _no_state(path, state, key)
    strangers = [
        name
        for name, value in state.items()
        if not isinstance(name, str) or (_is_tensor(name) and not hasattr(value, "shape"))
    ]
    if strangers:
        only = f"{key}." if key else ""
        where = f"; it has {', '.join(map(str, list(state)[:_SHOWN]))}" if key is None else ""
        raise PlanError(
            f"checkpoint={path} holds no weights under its names ({only}{strangers[0]} is a "
            f"{type(state[strangers[0]]).__name__}{where}); save the network's state_dict"
        )
    return chosen


def _content(chosen: str) -> Mapping[str, Any]:
    """What the file holds, its tensors without their numbers. Raises `PlanError`."""
    path = Path(chosen).expanduser()
    if path.suffix.lower() == ".safetensors":
        return _safetensors(chosen, path)
    content = _unpickled(chosen, path)
    if not isinstance(content, Mapping):
        raise _no_state(chosen, content, None)
    return content


def _safetensors(chosen: str, path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: _Slice(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _unreadable(chosen, error) from None


class _Slice:
    """Shape and type (`F32`, `I8`) of a tensor that is not read."""

    def __init__(self, entry: Any) -> None:
        self.shape, self.dtype = tuple(entry.get_shape()), str(entry.get_dtype())


def _unpickled(chosen: str, path: Path) -> Any:
    """Tensors and plain values alone: nothing of the file is run."""
    import torch

    try:
        with _plain_values():
            return torch.load(path, map_location="meta", weights_only=True)
    except pickle.UnpicklingError as error:
        strangers = _strangers(path) or _NOT_ALLOWED.findall(str(error))
        if not strangers:
            raise _unreadable(chosen, error) from None
        raise PlanError(
            f"checkpoint={chosen} holds objects beside weights ({', '.join(strangers[:_SHOWN])}), "
            "which are not loaded, for they could run anything; save its state_dict alone"
        ) from None
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, AttributeError) as error:
        if any(word in str(error) for word in _OTHER_TENSORS):
            raise PlanError(
                f"checkpoint={chosen} has tensors that are no plain arrays (quantised, sparse); "
                "give weights in fp32, fp16 or bf16, dense"
            ) from None
        raise _unreadable(chosen, error) from None


@contextmanager
def _plain_values() -> Iterator[None]:
    """While PyTorch also reads values that scripts save beside weights and that run nothing: their
    arguments, paths, and numbers of NumPy, such as the best accuracy."""
    import numpy as np
    import torch

    makers: list[Any] = [np.float64(0).__reduce__()[0], np.empty(0).__reduce__()[0]]
    modules = ("numpy.core.multiarray", "numpy._core.multiarray")  # before and from NumPy 2
    kinds = [type(np.dtype(letter)) for letter in "?bBhHiIlLqQefd"]
    values = [argparse.Namespace, np.dtype, np.ndarray, defaultdict, dict, PosixPath, *kinds]
    named = [(one, f"{module}.{one.__name__}") for module in modules for one in makers]
    with torch.serialization.safe_globals([*values, *named]):
        yield


def _strangers(path: Path) -> list[str]:
    import torch

    try:
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(str(path)))
    except Exception:  # of a file that is no checkpoint it raises anything
        return []


def _unreadable(chosen: str, error: BaseException) -> PlanError:
    why = (str(error).splitlines() or [""])[0][:120] or type(error).__name__
    why = "no pickle of weights" if "weights_only" in str(error) else why
    return PlanError(
        f"checkpoint={chosen} cannot be read as weights, it may be cut off or damaged "
        f"({why}); fetch or save it again"
    )


def _no_state(chosen: str, content: Any, key: str | None) -> PlanError:
    what = "an empty dict" if content == {} else f"a {type(content).__name__}"
    where = "" if key is None else f" under '{key}'"
    return PlanError(
        f"checkpoint={chosen} holds {what}{where}, not a state_dict; save network.state_dict()"
    )
