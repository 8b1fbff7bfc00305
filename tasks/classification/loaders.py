"""timm's loaders over a run's images."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from metering.ranks import Ranks
from tasks.classification import networks as models
from tasks.classification import pretraining, timm_images
from tasks.classification.data import ImageFiles, ImageSet
from tasks.classification.kept_batches import KeptBatches
from tasks.classification.stages.step import Step
from tasks.data.workers import default_workers
from tasks.errors import PlanError
from tasks.patches import timm as timm_patches
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch


def of_plan(
    plan: Plan,
    images: Any,
    step: Step,
    device: torch.device,
    ranks: Ranks,
    is_training: bool,
) -> Any:
    """Batches of a phase of the plan. Raises `PlanError`."""
    from timm.data import FastCollateMixup

    setup = step.setup
    collate: Any = step.collate if is_training else None
    if is_training and (setup.mixup or setup.cutmix):
        collate = FastCollateMixup(
            mixup_alpha=setup.mixup,
            cutmix_alpha=setup.cutmix,
            label_smoothing=setup.label_smoothing,
            num_classes=pretraining.num_classes(plan),
        )
    per_rank = plan.micro_batch if is_training else plan.batch_size // ranks.num_ranks
    if is_training and len(images) < plan.batch_size:
        raise PlanError(
            f"batch_size={plan.batch_size} is more than the {len(images)} training images "
            f"of data={plan.data.name}; choose a smaller batch_size or a larger data.fraction"
        )
    size = step.input_size or models.input_size(plan, for_test=not is_training)
    batches = loader(
        images,
        training=setup,
        input_size=size,
        batch_size=per_rank,
        num_workers=_num_workers(plan, images, ranks, device),
        device=device,
        data_config=models.data_config(plan, for_test=not is_training),
        options=plan.data.options,
        collate=collate,
        distributed=ranks.num_ranks > 1,
        is_training=is_training,
    )
    kept = plan.data.options.get("kept_batches")
    return batches if kept is None else KeptBatches(batches, kept)


def _num_workers(plan: Plan, images: Any, ranks: Ranks, device: torch.device) -> int:
    wanted = plan.data.num_workers
    default = default_workers(ranks.num_ranks, device.type == "cuda")
    if timm_images.is_stream(images):
        return timm_images.workers_of_stream(images, wanted, default, ranks.num_ranks)
    return default if wanted is None else wanted


def loader(
    images: Any,
    *,
    training: Any,
    input_size: int,
    batch_size: int,
    num_workers: int,
    device: torch.device,
    data_config: dict[str, Any],
    options: dict[str, Any],
    collate: Callable[..., Any] | None,
    distributed: bool,
    is_training: bool,
) -> Any:
    """timm's own loader: batches of float (batch, 3, size, size) on `device`, normalised there."""
    from timm.data import create_loader

    timm_patches.install()
    augment = {key: data_config[key] for key in ("interpolation", "crop_mode")}
    if is_training:
        augment = _augmentation(training, options) | {"collate_fn": collate}
        if training.aug_repeats > 1 and not timm_images.is_stream(images):
            augment["num_aug_repeats"] = training.aug_repeats
    source: Any = ImageFiles(images) if isinstance(images, ImageSet) else images
    goes_round = num_workers > 0 and not timm_images.is_stream(images)
    repeats = "num_aug_repeats" in augment
    alone = timm_patches.repeats_on_one_rank() if repeats and not distributed else nullcontext()
    with alone:
        return create_loader(
            source,
            input_size=(3, input_size, input_size),
            batch_size=batch_size,
            is_training=is_training,
            mean=data_config["mean"],
            std=data_config["std"],
            crop_pct=data_config["crop_pct"],
            num_workers=num_workers,
            distributed=distributed or repeats,
            device=device,
            use_prefetcher=True,
            use_multi_epochs_loader=goes_round,
            persistent_workers=num_workers > 0,
            pin_memory=device.type == "cuda",
            **augment,
        )


def _augmentation(training: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Arguments of timm's loader for training; `data.options` go before the training set-up."""
    return {
        "auto_augment": training.auto_augment,
        "color_jitter": training.color_jitter,
        "re_prob": training.random_erasing,
        "re_mode": "pixel",
        "scale": tuple(options.get("crop_scale", training.crop_scale)),
        "hflip": options.get("hflip", training.hflip),
        # timm draws the interpolation per image; fixed where the source fixed it
        "interpolation": "random",
    }
