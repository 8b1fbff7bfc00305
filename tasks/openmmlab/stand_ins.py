"""Stand-ins for what the OpenMMLab wheels lack. Everything here can go once the wheels have it.

mmcv-lite has no `mmcv._ext`, the compiled operators, yet MMSegmentation and MMDetection import
modules that ask for them; the mmaction2 1.2.0 wheel was built without the sub-package
`mmaction.models.localizers.drn` that its own `__init__` imports. `needed` tells whether each
gap is still there (a test reads it); where a wheel is whole, nothing is put in its place.
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

_MMCV_EXT = "mmcv._ext"
_DRN = "mmaction.models.localizers.drn"
_NO_CUDA = "not available"  # mmcv's answer (csrc/pytorch/info.cpp)


class MissingOperator(NotImplementedError):
    """A compiled operator of mmcv was called, and mmcv-lite has none."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"mmcv's operator '{name}' is compiled code that mmcv-lite lacks; "
            "install the full mmcv with `make mmcv-ops`"
        )


class _Extension(types.ModuleType):
    """Imports like `mmcv._ext`; each operator raises `MissingOperator` when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_: Any, **__: Any) -> Any:
            raise MissingOperator(name)

        return missing


def needed() -> dict[str, bool]:
    """Which gaps the installed wheels still have, by module name."""
    return {
        _MMCV_EXT: not list(_package_folder("mmcv").glob("_ext.*")),
        _DRN: not (_package_folder("mmaction") / "models" / "localizers" / "drn").is_dir(),
    }


def install() -> Operators:
    """Fill the gaps, once; answers which implementation mmcv's operators have.

    `pytorch`: multi-scale deformable attention, the only compiled operator that a model of
    ours calls, runs mmcv's own PyTorch implementation on every device. So it does with
    `without_cuda`: mmcv was compiled where no GPU was visible.
    """
    gaps = needed()
    if gaps[_DRN] and _DRN not in sys.modules:
        _install_drn()
    if not gaps[_MMCV_EXT]:
        return "compiled" if _has_cuda() else _without_kernel("without_cuda")
    if _MMCV_EXT not in sys.modules:
        extension = _Extension(_MMCV_EXT)
        # a spec without a loader: mmcv.utils.check_ops_exist() keeps answering False
        extension.__spec__ = ModuleSpec(_MMCV_EXT, loader=None)
        sys.modules[_MMCV_EXT] = extension
    return _without_kernel("pytorch")


def _has_cuda() -> bool:
    from mmcv import ops

    return str(ops.get_compiling_cuda_version()) != _NO_CUDA


def _without_kernel(operators: Operators) -> Operators:
    from mmcv.ops import multi_scale_deform_attn

    # on a GPU the module would call the compiled kernel without asking whether it is there
    multi_scale_deform_attn.IS_CUDA_AVAILABLE = False
    return operators


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"package {name} is not installed; run `make test` once")
    return Path(spec.origin).parent


def _install_drn() -> None:
    class DRN:
        """Dense Regression Network (temporal localisation): not in the wheel, not used here."""

        def __init__(self, *_: Any, **__: Any) -> None:
            raise NotImplementedError("the mmaction2 1.2.0 wheel was built without DRN")

    package, module = types.ModuleType(_DRN), types.ModuleType(f"{_DRN}.drn")
    package.__path__ = []
    module.DRN = DRN  # type: ignore[attr-defined]
    sys.modules[_DRN] = package
    sys.modules[f"{_DRN}.drn"] = module
