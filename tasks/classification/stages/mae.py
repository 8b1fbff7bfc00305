"""Masked autoencoding (He 2022): a quarter of the patches is encoded, all are reconstructed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.classification import networks as models
from tasks.classification import training
from tasks.classification.stages.mmpretrain_models import built, config_of, patches_per_side
from tasks.classification.stages.step import Step
from tasks.plan import Plan

if TYPE_CHECKING:
    from torch import nn

# timm's name of the encoder -> MMPretrain's config and the patch size, pixels
CONFIGS = {
    "vit_base_patch16_224": ("mae_vit-base-p16_8xb512-amp-coslr-1600e_in1k", 16),
    "vit_large_patch16_224": ("mae_vit-large-p16_8xb512-amp-coslr-1600e_in1k", 16),
    "vit_huge_patch14_224": ("mae_vit-huge-p14_8xb512-amp-coslr-1600e_in1k", 14),
}


def step(plan: Plan) -> Step:
    """Encoder on the visible patches, decoder on all, loss on normalised masked pixels."""
    return Step(_network(plan), training.named("mae"))


def _network(plan: Plan) -> nn.Module:
    from torch import nn

    class MaskedAutoencoder(nn.Module):
        """MMPretrain's `MAE` with the loss as its output; the labels are not looked at."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model: Any = model

        def forward(self, images: Any, targets: Any) -> Any:
            return self.model.loss(images, None)["loss"]

    name, patch_size = CONFIGS[plan.model.source]
    size = models.input_size(plan)
    side = patches_per_side(plan, size, patch_size, least=2)
    config = config_of(name)
    config.model.backbone.img_size = size
    config.model.neck.num_patches = side * side
    return MaskedAutoencoder(built(config, plan))
