"""Named training set-ups for classification: optimizer, regularisation and augmentation.

They decide what a step does, and so what it costs; the schedule of the learning rate does
not, and is constant here. `lr` is scaled linearly from the batch it was published for.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tasks.errors import unknown


@dataclass(frozen=True)
class Training:
    """auto_augment uses timm's policy strings; mixup and cutmix are the alphas (0: off);
    crop_scale: least and largest share of the image that a random crop takes; ema_decay: of the
    average of the weights that each step updates, None for no average; layer_decay: factor of the
    learning rate from a layer to the one before it; aug_repeats: how often an image is drawn in a
    batch, each time augmented anew (Hoffer 2020). Stochastic depth and dropout differ with a
    network's size and are in its `model.options`."""

    optimizer: str
    lr: float
    lr_batch_size: int
    weight_decay: float
    auto_augment: str | None = None
    color_jitter: float = 0.0
    random_erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    label_smoothing: float = 0.0
    clip_grad_norm: float | None = None
    betas: tuple[float, float] | None = None
    crop_scale: tuple[float, float] = (0.08, 1.0)
    hflip: float = 0.5
    ema_decay: float | None = None
    layer_decay: float | None = None
    aug_repeats: int = 1


# Touvron 2021, Table 9, without what only some of its followers take over
_DEIT = Training(
    "adamw",
    5e-4,
    512,
    0.05,
    auto_augment="rand-m9-mstd0.5-inc1",
    random_erasing=0.25,
    mixup=0.8,
    cutmix=1.0,
    label_smoothing=0.1,
)


TRAININGS = {
    # He 2016, section 3.4: SGD, batch 256, lr 0.1, crops and flips.
    "resnet": Training("momentum", 0.1, 256, 1e-4),
    # Simonyan & Zisserman 2014, section 3.1: SGD, batch 256, lr 0.01, weight decay 5e-4.
    "vgg": Training("momentum", 0.01, 256, 5e-4, color_jitter=0.1),
    # Szegedy 2016, section 8 (RMSProp, lr 0.045, gradient clipping at 2.0) and 7 (smoothing 0.1).
    "inception": Training(
        "rmsprop", 0.045, 1600, 4e-5, color_jitter=0.4, label_smoothing=0.1, clip_grad_norm=2.0
    ),
    # Sandler 2018, section 6.1: RMSProp, lr 0.045, weight decay 4e-5, 16 GPUs x batch 96.
    "mobilenet_v2": Training("rmsprop", 0.045, 1536, 4e-5),
    # Howard 2019, section 6.1.1: RMSProp, lr 0.1, batch 4096, weight decay 1e-5, EMA 0.9999.
    "mobilenet_v3": Training("rmsprop", 0.1, 4096, 1e-5, ema_decay=0.9999),
    # Tan & Le 2019, section 5.2: RMSProp, lr 0.256 at batch 4096, AutoAugment; the average of the
    # weights is in the authors' code, and in Tan & Le 2021, section 5.1.
    "efficientnet": Training(
        "rmsproptf",
        0.256,
        4096,
        1e-5,
        auto_augment="v0",
        label_smoothing=0.1,
        ema_decay=0.9999,
    ),
    # Dosovitskiy 2021, Table 3 (ImageNet): Adam, lr 3e-3 at batch 4096, decay 0.3, clipping at 1.
    "vit": Training("adamw", 3e-3, 4096, 0.3, clip_grad_norm=1.0),
    # Touvron 2021, Table 9: repeated augmentation; the authors' code averages the weights.
    "deit": dataclasses.replace(_DEIT, ema_decay=0.99996, aug_repeats=3),
    # Liu 2021, appendix A2: as DeiT without repeated augmentation and average; clipping at 5 is in
    # the authors' code.
    "swin": dataclasses.replace(_DEIT, clip_grad_norm=5.0),
    # Liu 2022 (ConvNeXt), Table 5: as DeiT without repeated augmentation; EMA 0.9999.
    "convnext": dataclasses.replace(_DEIT, ema_decay=0.9999),
    # Ding 2022, section 4.1: as DeiT without repeated augmentation and average.
    "davit": _DEIT,
    # He 2022, Table 9: fine-tuning with a smaller rate in earlier layers, without average.
    "finetune": dataclasses.replace(_DEIT, layer_decay=0.75),
    # He 2022, Table 8: AdamW, lr 1.5e-4 at batch 256; crops and flips alone.
    "mae": Training("adamw", 1.5e-4, 256, 0.05, betas=(0.9, 0.95), crop_scale=(0.2, 1.0)),
    # Bao 2021, appendix; Peng 2022, appendix: AdamW, lr 1.5e-3 at batch 2048, clipping at 3.
    "beit": Training("adamw", 1.5e-3, 2048, 0.05, color_jitter=0.4, clip_grad_norm=3.0),
    # Radford 2021, Tables 18 and 19 (ViT-B/16): lr 5e-4 at batch 32,768; a random square crop.
    "clip": Training(
        "adamw", 5e-4, 32768, 0.2, betas=(0.9, 0.98), crop_scale=(0.9, 1.0), hflip=0.0
    ),
    # For small data and for any timm name without a recipe: crops and flips, AdamW.
    "plain": Training("adamw", 1e-3, 64, 0.05),
}


def named(name: str | None) -> Training:
    """The set-up called `name` (None: `plain`). Raises `PlanError` for an unknown one."""
    key = name or "plain"
    if key not in TRAININGS:
        raise unknown("model.training", key, TRAININGS)
    return TRAININGS[key]
