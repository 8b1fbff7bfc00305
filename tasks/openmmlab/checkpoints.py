"""Weights from a file, checked: an accuracy of half-loaded weights would be a false one."""

from __future__ import annotations

import pickle
from typing import Any

from tasks.errors import PlanError

_OPTIONAL = ("auxiliary_head.", "data_preprocessor.")
_SHOWN = 3


def load(model: Any, path: str) -> None:
    """Load every weight of `model` from `path`, a state dict or an MMEngine checkpoint.

    Auxiliary heads may be missing, they serve training alone. Raises `PlanError` if the file
    holds anything but tensors and plain values, or does not fit the model.
    """
    state = _read(path)
    state = {key.removeprefix("module."): value for key, value in state.items()}
    own = model.state_dict()
    missing = [
        key
        for key, value in own.items()
        if (key not in state or state[key].shape != value.shape)
        and not key.startswith(_OPTIONAL)
        and not key.endswith("num_batches_tracked")
    ]
    if missing:
        raise PlanError(
            f"model.checkpoint={path} does not fit the model: {len(missing)} of {len(own)} weights "
            f"are missing or of another shape ({', '.join(missing[:_SHOWN])}, ...); "
            "give the checkpoint of this very config"
        )
    fitting = {
        key: value for key, value in state.items() if key in own and own[key].shape == value.shape
    }
    model.load_state_dict(fitting, strict=False)


def _read(path: str) -> dict[str, Any]:
    # MMEngine keeps its loss histories in its checkpoints, as numpy arrays
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    allowed = [HistoryBuffer, np.ndarray, np.dtype, *_numpy_parts()]
    try:
        with torch.serialization.safe_globals(allowed):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        raise PlanError(
            f"model.checkpoint={path} cannot be read as weights: {str(error).splitlines()[0]}; "
            "save its state_dict alone"
        ) from None
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(hasattr(entry, "shape") for entry in state.values()):
        raise PlanError(f"model.checkpoint={path} holds no state_dict; give a file of weights")
    return state


def _numpy_parts() -> list[Any]:
    import numpy as np
    from numpy._core import multiarray

    kinds = (np.float64, np.float32, np.int64, np.int32)
    return [multiarray._reconstruct, multiarray.scalar, *(type(np.dtype(kind)) for kind in kinds)]
