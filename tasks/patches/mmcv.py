"""What mmcv-lite lacks: `mmcv._ext`, the compiled operators, yet MMSegmentation and MMDetection
import modules that ask for them. This can go once they import without.

Where the full mmcv is installed, nothing is put in its place.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Literal

Operators = Literal["compiled", "without_cuda", "pytorch"]

_EXT = "mmcv._ext"
_NO_CUDA = "not available"  # mmcv's answer (csrc/pytorch/info.cpp)


class MissingOperator(NotImplementedError):
    """A compiled operator of mmcv was called, and mmcv-lite has none."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"mmcv's operator '{name}' is compiled code that mmcv-lite lacks; "
            "install the full mmcv with `make mmcv-ops`"
        )


class Extension(types.ModuleType):
    """Imports like `mmcv._ext`; each operator raises `MissingOperator` when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_: Any, **__: Any) -> Any:
            raise MissingOperator(name)

        return missing


def lacks_operators() -> bool:
    """Whether the installed mmcv is mmcv-lite."""
    spec = importlib.util.find_spec("mmcv")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("package mmcv-lite is not installed; run `make test` once")
    return not list(Path(spec.origin).parent.glob("_ext.*"))


def install() -> Operators:
    """Fill the gap, once; answers which implementation mmcv's operators have.

    `pytorch`: multi-scale deformable attention, the only compiled operator that a model of
    ours calls, runs mmcv's own PyTorch implementation on every device. So it does with
    `without_cuda`: mmcv was compiled where no GPU was visible.
    """
    if not lacks_operators():
        return "compiled" if _has_cuda() else _without_kernel("without_cuda")
    if _EXT not in sys.modules:
        extension = Extension(_EXT)
        # a spec without a loader: mmcv.utils.check_ops_exist() keeps answering False
        extension.__spec__ = ModuleSpec(_EXT, loader=None)
        sys.modules[_EXT] = extension
    return _without_kernel("pytorch")


def _has_cuda() -> bool:
    from mmcv import ops

    return str(ops.get_compiling_cuda_version()) != _NO_CUDA


def _without_kernel(operators: Operators) -> Operators:
    from mmcv.ops import multi_scale_deform_attn

    # on a GPU the module would call the compiled kernel without asking whether it is there
    multi_scale_deform_attn.IS_CUDA_AVAILABLE = False
    return operators
