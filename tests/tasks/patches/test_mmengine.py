"""MMEngine computes where the plan says, not where it first found something."""

from __future__ import annotations

import pytest
from mmengine.device import get_device, utils

from tasks.patches import mmengine


def test_mmengine_uses_the_device_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, MMEngine chooses in another way: the patch no longer fits."""
    monkeypatch.setattr(utils, "DEVICE", "cuda")
    assert get_device() == "cuda"
    mmengine.use_device("cpu")
    assert get_device() == "cpu"
