"""What the mmaction2 1.2.0 wheel lacks: it was built without the sub-package
`mmaction.models.localizers.drn` that its own `__init__` imports. This can go once a wheel has it.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

_DRN = "mmaction.models.localizers.drn"


class DRN:
    """Dense Regression Network (temporal localisation): not in the wheel, not used here."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("the mmaction2 1.2.0 wheel was built without DRN")


def lacks_drn() -> bool:
    """Whether the installed wheel has the gap."""
    spec = importlib.util.find_spec("mmaction")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("package mmaction2 is not installed; run `make test` once")
    return not (Path(spec.origin).parent / "models" / "localizers" / "drn").is_dir()


def install() -> None:
    """Let `mmaction.models` import. Call before it is."""
    if _DRN in sys.modules or not lacks_drn():
        return
    package, module = types.ModuleType(_DRN), types.ModuleType(f"{_DRN}.drn")
    package.__path__ = []
    vars(module)["DRN"] = DRN
    sys.modules[_DRN] = package
    sys.modules[f"{_DRN}.drn"] = module
