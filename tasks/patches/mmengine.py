"""MMEngine's device. This can go once MMEngine can be told which device to use."""

from __future__ import annotations


def use_device(kind: str) -> None:
    """Let MMEngine compute on `kind` (cuda, cpu): it picks at import what it finds first."""
    import mmengine.device.utils

    mmengine.device.utils.DEVICE = kind
