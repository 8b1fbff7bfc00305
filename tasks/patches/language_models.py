"""MMPretrain and MMAction2 beside a current `transformers`: their language models ask for names
that version 5 no longer has, and `mmpretrain.models` and `mmaction.models` then fail to import.
None of them is used here, so they are left out, as both libraries do themselves where
`transformers` is not installed. This can go once their releases import beside the newest one.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

LIBRARIES = ("mmpretrain", "mmaction")


def install() -> None:
    """Let the models of both import without their language models. Call before they are."""
    for name in LIBRARIES:
        _leave_out(name)


def _leave_out(library: str) -> None:
    name = f"{library}.utils.dependency"
    if name in sys.modules:  # imported, and perhaps not yet the models, which ask it
        _without_multimodal(sys.modules[name])
        return
    spec = importlib.util.find_spec(library)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"package {library} is not installed; run `make test` once")
    # loaded from its file: importing it by name would import the package, and the models with it
    path = Path(spec.origin).parent / "utils" / "dependency.py"
    own = importlib.util.spec_from_file_location(name, path)
    assert own is not None and own.loader is not None
    module = importlib.util.module_from_spec(own)
    own.loader.exec_module(module)
    _without_multimodal(module)
    sys.modules[name] = module


def _without_multimodal(dependency: Any) -> None:
    dependency.WITH_MULTIMODAL = False
