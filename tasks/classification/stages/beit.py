"""BEiT (Bao 2021) and BEiT v2 (Peng 2022): predict a tokenizer's tokens of masked patches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tasks.classification import networks as models
from tasks.classification import training
from tasks.classification.stages.mmpretrain_models import built, config_of, patches_per_side
from tasks.classification.stages.step import Step, freeze
from tasks.plan import Plan

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

BEIT_CONFIG = "beit_beit-base-p16_8xb256-amp-coslr-300e_in1k"
BEITV2_CONFIG = "beitv2_beit-base-p16_8xb256-amp-coslr-1600e_in1k"
PATCH_SIZE = 16
MASKED_SHARE, LEAST_SHARE = 75 / 196, 16 / 196  # of the patches, as in both configs
RANDOM_TOKENIZER = "the tokenizer has random weights: its forward pass costs what a trained one's"
SECOND_VIEW = "the tokenizer's 112-pixel view is made on the device from the 224-pixel crop"


def step(plan: Plan) -> Step:
    """BEiT: the tokenizer is DALL-E's encoder, on a view of half the size."""
    config = config_of(BEIT_CONFIG)
    if _is_large(plan):
        config.model.backbone.arch = "large"
        config.model.head.embed_dims = 1024
    return _step(plan, config, _half_sized_pixels(plan), (RANDOM_TOKENIZER, SECOND_VIEW))


def step_v2(plan: Plan) -> Step:
    """BEiT v2: the tokenizer is VQ-KD, on the same view; a second loss after two more layers."""
    config = config_of(BEITV2_CONFIG)
    config.model.target_generator.quantize_kmeans_init = False  # a trained codebook needs none
    config.model.target_generator.encoder_config.img_size = models.input_size(plan)
    if _is_large(plan):
        # Peng 2022, appendix: 24 layers, the early ones end at the 21st
        config.model.backbone.arch = "large"
        config.model.backbone.out_indices = [20, 23]
        config.model.neck.backbone_arch = "large"
        config.model.neck.early_layers = 21
        config.model.head.embed_dims = 1024
    return _step(plan, config, lambda images: images, (RANDOM_TOKENIZER,))


def _is_large(plan: Plan) -> bool:
    return "large" in plan.model.source


def _step(
    plan: Plan, config: Config, second_view: Callable[[Any], Any], notes: tuple[str, ...]
) -> Step:
    size = models.input_size(plan)
    side = patches_per_side(plan, size, PATCH_SIZE, least=4)
    config.model.backbone.img_size = size
    network = _network(built(config, plan), second_view)
    return Step(
        network,
        training.named("beit"),
        collate=MaskCollate(side),
        has_unused_parameters=True,
        notes=notes,
    )


def _network(model: nn.Module, second_view: Callable[[Any], Any]) -> nn.Module:
    from mmpretrain.structures import DataSample
    from torch import nn

    class MaskedImageModel(nn.Module):
        """MMPretrain's `BEiT` with the loss as its output; the targets are the masks."""

        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model
            freeze(model.target_generator)

        def train(self, mode: bool = True) -> MaskedImageModel:
            super().train(mode)
            self.model.target_generator.eval()
            return self

        def forward(self, images: Any, masks: Any) -> Any:
            samples = [DataSample(mask=mask) for mask in masks]
            losses = self.model.loss([images, second_view(images)], samples)
            return sum(losses.values())

    return MaskedImageModel(model)


def _half_sized_pixels(plan: Plan) -> Callable[[Any], Any]:
    """Images as DALL-E's encoder wants them: half the size, 0.8 x pixel + 0.1
    (the config's `second_mean` and `second_std`)."""
    from torch.nn import functional

    config = models.data_config(plan)

    def view(images: Any) -> Any:
        mean, std = (images.new_tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        small = functional.interpolate(
            images, scale_factor=0.5, mode="bicubic", antialias=True, align_corners=False
        )
        return ((small * std + mean).clamp(0, 1)) * 0.8 + 0.1

    return view


class MaskCollate:
    """Images of a batch, and for each a mask of blocks (side, side) from MMPretrain's generator."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.num_masked = round(MASKED_SHARE * side * side)
        self.least = max(1, int(LEAST_SHARE * side * side))

    def __call__(self, batch: list[Any]) -> tuple[Any, Any]:
        import torch
        from timm.data.loader import fast_collate

        images, _ = fast_collate(batch)
        generate = self._generator()
        masks = [torch.from_numpy(generate({})["mask"]) for _ in batch]
        return images, torch.stack(masks)

    def _generator(self) -> Any:
        from tasks.patches import openmmlab as patches

        patches.install()
        from mmpretrain.datasets.transforms import BEiTMaskGenerator

        return BEiTMaskGenerator(
            input_size=(self.side, self.side),
            num_masking_patches=self.num_masked,
            min_num_patches=self.least,
        )
