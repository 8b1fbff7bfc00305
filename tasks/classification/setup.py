"""What of a classification run changes its result: network, training by content, data."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from metering import catalogue
from metering.setup import DataSetUp
from tasks.classification import training
from tasks.classification.data import IMAGE_SUFFIXES
from tasks.config.refusals import validated
from tasks.config.values import Count, Flag, Share, ShareOrNone
from tasks.data import public_sets
from tasks.errors import PlanError
from tasks.plan import DataPlan, Plan


@with_config(ConfigDict(extra="forbid"))
class Options(TypedDict, total=False):
    """`data.options`. full_test: see the whole test set; crop_scale, hflip: instead of the training
    set-up's; the rest: of embedded files, in pixels, and of the set that they stand for."""

    num_classes: Required[Count]
    full_test: Flag
    crop_scale: tuple[Share, Share]
    hflip: ShareOrNone
    num_files: Count
    width: Count
    height: Count
    train_samples: Count
    test_samples: Count


EMBEDDED = ("num_files", "width", "height", "train_samples", "test_samples")
STAGE_TRAININGS = {"mae": "mae", "beit": "beit", "beitv2": "beit", "clip": "clip"}
"""Self-supervised stages have a training set-up of their own."""


def check_options(plan: DataPlan) -> None:
    """Raises `PlanError` for a key or a value of `data.options` that means nothing."""
    options = validated(Options, plan.options, "data.options")
    missing = [key for key in EMBEDDED if plan.name == "synthetic" and key not in options]
    if missing:
        raise PlanError(f"data.options.{missing[0]} is missing; data=synthetic needs it")


def check_model(plan: Plan) -> None:
    """Raises `PlanError` for a training set-up that is unknown, or a network of other channels."""
    training.named(plan.model.training)
    channels = plan.model.options.get("in_chans", 3)
    if channels != 3:
        raise PlanError(
            f"model.options.in_chans={channels} is not 3: images are read as RGB; leave it out"
        )
    if "num_classes" in plan.model.options:
        raise PlanError(
            f"model.options.num_classes={plan.model.options['num_classes']} is the data's to say; "
            "set data.options.num_classes"
        )


def check_batch(plan: Plan) -> None:
    """Raises `PlanError` where the training set-up mixes pairs and a rank's batch is odd, or the
    batch is larger than the training set."""
    if "train" not in plan.phases:
        return
    name = STAGE_TRAININGS.get(plan.stage, plan.model.training)
    mixes = training.named(name).mixup or training.named(name).cutmix
    per_rank = plan.batch_size // plan.hardware.num_ranks
    if mixes and per_rank % 2:
        raise PlanError(
            f"batch_size={plan.batch_size} gives each device an odd batch of {per_rank}, but "
            f"model.training={name} mixes images in pairs (mixup, cutmix); choose an even batch"
        )
    known = catalogue.data_set(plan.data.name)
    whole = data_setup(plan.data).num_train or (known.num_train if known else None)
    num_train = None if whole is None else max(1, round(whole * plan.data.fraction))
    if num_train is not None and num_train < plan.batch_size:
        raise PlanError(
            f"batch_size={plan.batch_size} is more than the {num_train} training images of "
            f"data={plan.data.name}; choose a smaller batch_size or a larger data.fraction"
        )


def check_scale(plan: Plan) -> None:
    """Raises `PlanError` where `scale=small` would change nothing but the run's name. A network
    without a recipe has no size of its own to be smaller than."""
    if not plan.model.recipe:
        return
    if plan.scale == "small" and plan.model.input_size == plan.model.recipe_size:
        raise PlanError(
            f"scale=small changes nothing of model={plan.model.name}: which smaller input a "
            "network takes is its own; use an experiment (-m experiment=table3 scale=small), "
            "or give fewer pixels too (model.input_size=96)"
        )


def parts(plan: Plan) -> dict[str, Any]:
    """Fields of `metering.setup.Asked`. Raises `PlanError`."""
    size = plan.model.input_size
    name = STAGE_TRAININGS.get(plan.stage, plan.model.training)
    return {
        "network": plan.model.source,
        "network_options": plan.model.options,
        "input_size": None if size is None else (size, size),
        "training": dataclasses.asdict(training.named(name)),
        "data": data_setup(plan.data),
    }


def data_setup(plan: DataPlan) -> DataSetUp:
    """Raises `PlanError` where the folder is not in the usual layout."""
    if plan.root is None:
        files = public_sets.embedded(plan)
        is_real = plan.name == "digits"  # scikit-learn brings the scans themselves
        return dataclasses.replace(files, origin="real") if is_real else files
    root = Path(plan.root).expanduser()
    classes, (num_train, num_test) = _counted(root.absolute())
    return public_sets.on_disk(plan, num_train, num_test, classes, _imagenet_classes())


@cache
def _counted(root: Path) -> tuple[tuple[str, ...], tuple[int, int]]:
    """Names of the class folders in order, and numbers of training and test images. Read once a
    process: every run of a sweep asks."""
    try:
        classes = sorted(_folders(root / "train"))
        counts = [_num_images(root / split, classes) for split in ("train", "val")]
    except OSError as error:
        raise PlanError(
            f"data.root={root} cannot be read: {error}; expected root/train/<class>/*.JPEG and "
            "root/val/<class>/*.JPEG"
        ) from None
    return tuple(classes), (counts[0], counts[1])


def _folders(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return [one.name for one in entries if one.is_dir() and not one.name.startswith(".")]


def _num_images(split: Path, classes: list[str]) -> int:
    total = 0
    for name in set(classes) & set(_folders(split)):
        with os.scandir(split / name) as entries:
            total += sum(one.name.lower().endswith(IMAGE_SUFFIXES) for one in entries)
    return total


@cache
def _imagenet_classes() -> tuple[str, ...] | None:
    """ImageNet-1k's folder names in order, from the list that timm brings."""
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / "_info" / "imagenet_synsets.txt"
    return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else None
