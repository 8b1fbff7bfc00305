"""Named training set-ups for classification: optimizer, regularisation and augmentation.

They decide what a step does, and so what it costs; the schedule of the learning rate does
not, and is constant here. `lr` is scaled linearly from the batch it was published for.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.errors import unknown


@dataclass(frozen=True)
class Training:
    """auto_augment uses timm's policy strings; mixup and cutmix are the alphas (0: off);
    crop_scale: least and largest share of the image that a random crop takes."""

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
    # Howard 2019, section 6.1.1: RMSProp, lr 0.1, batch 4096, weight decay 1e-5.
    "mobilenet_v3": Training("rmsprop", 0.1, 4096, 1e-5),
    # Tan & Le 2019, section 5.2: RMSProp, lr 0.256 at batch 4096, AutoAugment.
    "efficientnet": Training(
        "rmsproptf", 0.256, 4096, 1e-5, auto_augment="v0", label_smoothing=0.1
    ),
    # Dosovitskiy 2021, Table 3 (ImageNet): Adam, lr 3e-3 at batch 4096, decay 0.3, clipping at 1.
    "vit": Training("adamw", 3e-3, 4096, 0.3, clip_grad_norm=1.0),
    # Touvron 2021, Table 9; Swin, ConvNeXt, DaViT and EfficientFormer train alike.
    "deit": Training(
        "adamw",
        5e-4,
        512,
        0.05,
        auto_augment="rand-m9-mstd0.5-inc1",
        random_erasing=0.25,
        mixup=0.8,
        cutmix=1.0,
        label_smoothing=0.1,
    ),
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
