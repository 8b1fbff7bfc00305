"""Weights of a classification network: a file's, or those that timm publishes; checked against the
network by name and shape before the network is built."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.classification import numpy_weights, weight_content
from tasks.config import weight_names, weight_values
from tasks.config.weight_files import PRETRAINED
from tasks.errors import PlanError
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

_FILLED_IN = "num_batches_tracked"  # PyTorch fills it in where a file is older than it
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
    chosen = _chosen(plan, _within(network), weight_content.shapes(path))
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
    state = _chosen(plan, network, weight_content.shapes(path)).weights
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
            state = dict(_chosen(plan, network, weight_content.numbers(path)).weights)
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
        raise weight_content.no_state(path, state, key)
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
