"""MMPretrain's own models from its own configs, with random weights: nothing is fetched."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tasks.errors import PlanError
from tasks.openmmlab import configs
from tasks.patches import openmmlab as patches
from tasks.plan import Plan

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

PACKAGE = "mmpretrain"


def config_of(name: str) -> Config:
    """The named config of MMPretrain 1.2 without downloads. Raises `PlanError`."""
    config = configs.load_config(name, PACKAGE)
    configs.without_downloads(config)
    return config


def patches_per_side(plan: Plan, size: int, patch_size: int, least: int = 1) -> int:
    """How many patches fit into `size` pixels. Raises `PlanError` if they do not fit whole."""
    if size % patch_size or size // patch_size < least:
        raise PlanError(
            f"model.input_size={size} does not suit stage={plan.stage} of {plan.model.name}: "
            f"use a multiple of its patch size {patch_size}, at least {least * patch_size}"
        )
    return size // patch_size


def built(config: Config, plan: Plan) -> nn.Module:
    """The config's model, its weights drawn as the config says.

    `model.options.overrides` holds dotted keys of the config, as with the OpenMMLab tasks.
    """
    configs.apply_overrides(config, plan.model.options.get("overrides", {}))
    patches.install()
    import mmpretrain.models  # noqa: F401  (registers the models)
    from mmengine.logging import MMLogger
    from mmengine.registry import DefaultScope
    from mmpretrain.registry import MODELS

    # an earlier run of a sweep may have left another library's scope as the default
    with DefaultScope.overwrite_default_scope(PACKAGE):
        model = MODELS.build(config.model)
    # MMEngine logs how each of some hundred parameters was drawn
    logger: Any = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        model.init_weights()
    finally:
        logger.setLevel(level)
    return model
