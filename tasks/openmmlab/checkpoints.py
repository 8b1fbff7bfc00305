"""Weights from a file, checked: an accuracy of half-loaded weights would be a false one."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tasks.config import weight_names, weight_values
from tasks.errors import PlanError

_OPTIONAL = ("auxiliary_head.", "data_preprocessor.")
# what the network does without: `ema_...` are the averaged copies that mmcv 1 kept beside the
# weights; the buffers are computed, and some versions of a library save them and others do not
_SURPLUS = (*_OPTIONAL, "ema_")
_COMPUTED = ("num_batches_tracked", "relative_position_index")
_SHOWN = 3


def load(model: Any, path: str) -> str:
    """Load every weight of `model` from `path`, a state dict or a checkpoint of MMEngine or others.
    Where in the file it was, where that is not the usual; else an empty text.

    Auxiliary heads may be missing or more, they serve training alone. Raises `PlanError` if the
    file is not one of weights, lacks weights of the model, or has some of another model: a
    ResNet101 holds every weight of a ResNet50.
    """
    own = model.state_dict()
    chosen = _chosen(path, own)
    state = chosen.weights
    missing = [
        key
        for key, value in own.items()
        if (key not in state or state[key].shape != value.shape)
        and not key.startswith(_OPTIONAL)
        and not key.endswith(_COMPUTED)
    ]
    if missing:
        shapes = [
            {key: tuple(tensor.shape) for key, tensor in part.items()} for part in (own, state)
        ]
        weight_values.require_no_prefix(path, *shapes)
        raise PlanError(
            f"checkpoint={path} does not fit the model: {len(missing)} of {len(own)} weights "
            f"are missing or of another shape ({', '.join(missing[:_SHOWN])}, ...); "
            "give the checkpoint of this very config"
        )
    surplus = [
        key
        for key in state
        if key not in own and not key.startswith(_SURPLUS) and not key.endswith(_COMPUTED)
    ]
    if surplus:
        raise PlanError(
            f"checkpoint={path} does not fit the model, which has no place for "
            f"{len(surplus)} of its {len(state)} weights ({', '.join(surplus[:_SHOWN])}, ...); "
            "give the checkpoint of this very config"
        )
    fitting = {
        key: value for key, value in state.items() if key in own and own[key].shape == value.shape
    }
    weight_values.require_real(path, model, fitting)
    model.load_state_dict(fitting, strict=False)
    weight_values.require_finite(path, model)
    return chosen.note


def _chosen(path: str, own: Mapping[str, Any]) -> weight_names.Chosen:
    content = _read(path)
    shapes = {name: tuple(value.shape) for name, value in own.items() if hasattr(value, "shape")}
    chosen = weight_names.choose(content, shapes, wants_average=False) if content else None
    if chosen is None or not weight_names.are_weights(chosen.weights):
        raise PlanError(f"checkpoint={path} holds no state_dict; give a file of weights")
    return chosen


def _read(path: str) -> dict[str, Any]:
    """What the file holds; empty where that is no dict."""
    import torch

    if path.endswith(".safetensors"):
        return _safetensors(path)
    if path.lower().endswith((".npz", ".npy")):
        raise PlanError(
            f"checkpoint={path} is an archive of NumPy, which this network does not read; give a "
            ".pth or .safetensors file"
        )
    try:
        content = torch.load(
            Path(path).expanduser(),
            map_location="cpu",
            weights_only=False,
            pickle_module=_TENSORS_ONLY,
        )
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise PlanError(
            f"checkpoint={path} cannot be read as weights: {str(error).splitlines()[0]}; "
            "save its state_dict alone"
        ) from None
    return content if isinstance(content, dict) else {}


def _safetensors(path: str) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state: dict[str, Any] = load_file(Path(path).expanduser())
    except (SafetensorError, OSError) as error:
        why = (str(error).splitlines() or [""])[0]
        raise PlanError(
            f"checkpoint={path} cannot be read as weights: {why}; fetch or save it again"
        ) from None
    return state


class _Inert:
    """Stands for any object of a checkpoint that is not a tensor; every call of it does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, *_: Any) -> None: ...

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def __hash__(self) -> int:
        return id(self)


class _TensorUnpickler(pickle.Unpickler):
    """Builds tensors and plain containers and nothing else.

    MMEngine's checkpoints also hold its loss histories, whose pickles call `getattr`: PyTorch's
    `weights_only` refuses such files, and a plain load would run whatever a file says.
    """

    def find_class(self, module: str, name: str) -> Any:
        is_tensor = module == "torch._utils" and name.startswith("_rebuild_")
        if is_tensor or (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module == "torch" and name.endswith("Storage"):
            return super().find_class(module, name)
        return _Inert


_PLAIN = {("collections", "OrderedDict"), ("torch", "Size"), ("torch.nn.parameter", "Parameter")}
_TENSORS_ONLY = SimpleNamespace(
    Unpickler=_TensorUnpickler,
    UnpicklingError=pickle.UnpicklingError,
    load=lambda file, **options: _TensorUnpickler(file, **options).load(),
    __name__="pickle",
)
