"""All patches that importing MMSegmentation, MMDetection, MMPretrain and MMAction2 needs."""

from __future__ import annotations

from tasks.patches import language_models, mmaction, mmcv


def install() -> mmcv.Operators:
    """Let them import; answers which implementation mmcv's operators have."""
    mmaction.install()
    language_models.install()
    return mmcv.install()
