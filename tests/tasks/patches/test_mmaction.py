"""The sub-package that the mmaction2 wheel lacks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tasks.patches import mmaction, openmmlab


def test_the_stand_in_is_still_needed_and_still_fits() -> None:
    """If this fails, the wheel is whole or imports something else: remove or adapt the patch."""
    folder = Path(str(importlib.util.find_spec("mmaction").origin)).parent  # type: ignore[union-attr]
    asks = (folder / "models" / "localizers" / "__init__.py").read_text(encoding="utf-8")
    assert "from .drn.drn import DRN" in asks
    assert mmaction.lacks_drn()


def test_the_libraries_models_import() -> None:
    openmmlab.install()
    import mmaction.models
    import mmdet.models
    import mmseg.models

    with pytest.raises(NotImplementedError, match="without DRN"):
        mmaction.models.localizers.DRN()
    assert mmseg.models.EncoderDecoder and mmdet.models.MaskFormer
