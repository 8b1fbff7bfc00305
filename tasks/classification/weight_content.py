"""What a file of weights holds, read so that nothing of it is run: its tensors and plain values."""

from __future__ import annotations

import argparse
import pickle
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PosixPath
from typing import Any

from tasks.errors import PlanError

_NOT_ALLOWED = re.compile(r"GLOBAL (\S+) was not an allowed global")  # PyTorch's words
_OTHER_TENSORS = ("Quantized", "quantized", "Sparse", "meta tensor")
_SHOWN = 3


def shapes(chosen: str) -> Mapping[str, Any]:
    """What the file holds, its tensors without their numbers. Raises `PlanError`."""
    path = Path(chosen).expanduser()
    if path.suffix.lower() == ".safetensors":
        return _safetensors(chosen, path)
    content = _unpickled(chosen, path)
    if not isinstance(content, Mapping):
        raise no_state(chosen, content, None)
    return content


def numbers(path: str) -> Mapping[str, Any]:
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


def _safetensors(chosen: str, path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()  # the file itself is not iterable
            return {name: _Slice(file.get_slice(name)) for name in names}
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


def no_state(chosen: str, content: Any, key: str | None) -> PlanError:
    what = "an empty dict" if content == {} else f"a {type(content).__name__}"
    where = "" if key is None else f" under '{key}'"
    return PlanError(
        f"checkpoint={chosen} holds {what}{where}, not a state_dict; save network.state_dict()"
    )
