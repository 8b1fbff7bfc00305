"""CLIP (Radford 2021): images and texts of a batch are told to find each other."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from tasks.classification import networks as models
from tasks.classification import training
from tasks.classification.stages.step import Step
from tasks.plan import Plan

if TYPE_CHECKING:
    from torch import nn

# timm's name of the image tower -> open_clip's name of both
MODELS = {
    "vit_base_patch16_clip_224": "ViT-B-16-quickgelu",
    "vit_large_patch14_clip_224": "ViT-L-14-quickgelu",
}
CAPTIONS = "each image's caption is a template around its class name: 77 tokens, as any caption"


def step(plan: Plan, ranks: Ranks) -> Step:
    """Both towers forward and backward, and the contrastive loss over the batch of all ranks."""
    name = MODELS[plan.model.source]
    return Step(
        _network(plan, name, ranks),
        training.named("clip"),
        collate=CaptionCollate(name),
        notes=(CAPTIONS,),
    )


def _network(plan: Plan, name: str, ranks: Ranks) -> nn.Module:
    import open_clip
    from torch import nn

    class Contrast(nn.Module):
        """open_clip's two towers with its loss as the output; the targets are tokens."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model
            self.loss = open_clip.ClipLoss(rank=ranks.rank, world_size=ranks.num_ranks)

        def forward(self, images: Any, tokens: Any) -> Any:
            return self.loss(*self.model(images, tokens)[:3])

    size = models.input_size(plan)
    options = plan.model.options.get("open_clip", {})
    return Contrast(open_clip.create_model(name, pretrained=None, force_image_size=size, **options))


class CaptionCollate:
    """Images of a batch, and the tokens (batch, 77) of a caption for each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tokenizer: Any = None

    def __call__(self, batch: list[Any]) -> tuple[Any, Any]:
        from open_clip import (
            IMAGENET_CLASSNAMES,
            OPENAI_IMAGENET_TEMPLATES,
            get_tokenizer,
        )
        from timm.data.loader import fast_collate

        if self._tokenizer is None:
            self._tokenizer = get_tokenizer(self.name)
        images, labels = fast_collate(batch)
        names = [IMAGENET_CLASSNAMES[int(label) % len(IMAGENET_CLASSNAMES)] for label in labels]
        captions = [random.choice(OPENAI_IMAGENET_TEMPLATES)(name) for name in names]
        return images, self._tokenizer(captions)
