"""MMPretrain and MMAction2 without their language models."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.patches import language_models
from tests.conftest import ROOT


@pytest.mark.parametrize("library", language_models.LIBRARIES)
def test_the_switch_that_the_patch_turns_is_still_the_librarys(library: str) -> None:
    """If this fails, the library decides elsewhere: adapt the patch."""
    folder = Path(str(importlib.util.find_spec(library).origin)).parent  # type: ignore[union-attr]
    asks = (folder / "models" / "multimodal" / "__init__.py").read_text(encoding="utf-8")
    assert f"from {library}.utils.dependency import WITH_MULTIMODAL" in asks


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import mmaction.utils.dependency; "])
def test_the_models_import_whatever_transformers_is_installed(first: str) -> None:
    """In a process of its own, where nothing has imported the libraries yet."""
    code = (
        f"{first}from tasks.patches import openmmlab; openmmlab.install(); "
        "import mmaction.models, mmpretrain.models; "
        "from mmpretrain.registry import MODELS; "
        "assert mmpretrain.models.MAE and mmaction.models.TSMHead; "
        "MODELS.build({'type': 'Blip2Caption'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "requires extra multi-modal dependencies" in done.stderr
