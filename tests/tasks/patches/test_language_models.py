"""MMPretrain and MMAction2 without their language models."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tasks.patches import language_models, openmmlab


@pytest.mark.parametrize("library", language_models.LIBRARIES)
def test_the_switch_that_the_patch_turns_is_still_the_librarys(library: str) -> None:
    """If this fails, the library decides elsewhere: adapt the patch."""
    folder = Path(str(importlib.util.find_spec(library).origin)).parent  # type: ignore[union-attr]
    asks = (folder / "models" / "multimodal" / "__init__.py").read_text(encoding="utf-8")
    assert f"from {library}.utils.dependency import WITH_MULTIMODAL" in asks


def test_the_models_import_whatever_transformers_is_installed() -> None:
    openmmlab.install()
    import mmaction.models
    import mmpretrain.models
    from mmpretrain.registry import MODELS

    assert mmpretrain.models.MAE and mmaction.models.TSMHead
    with pytest.raises(ImportError, match="multi-modal dependencies"):
        MODELS.build({"type": "Blip2Caption"})
