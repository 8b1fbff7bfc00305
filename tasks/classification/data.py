"""Images and their labels for classification."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.classification import folders, timm_images, timm_sets
from tasks.classification.unreadable import UnreadableImage
from tasks.data import embedded_images, unopened
from tasks.data.shares import train_indices
from tasks.errors import PlanError
from tasks.plan import DataPlan, Plan

TIMM = "timm"  # the name of conf/data/timm.yaml


EMBEDDED_JPEGS = ("synthetic", "tensors")
"""Sets of files that this suite writes; of `tensors` a few batches are decoded, once."""
WITHOUT_ROOT = (*EMBEDDED_JPEGS, "digits")
"""Sets that read no folder of the user's."""


@dataclass(frozen=True)
class ImageSet:
    """Files with labels, and the length of the set that they stand for (repeated to it)."""

    files: list[tuple[Path, int]]
    num_samples: int

    def __len__(self) -> int:
        return self.num_samples


class ImageFiles:
    """A map-style data set of decoded images; `transform` is set by timm's loader."""

    def __init__(self, images: ImageSet) -> None:
        self.images = images
        self.transform: Callable[[Any], Any] | None = None

    def __len__(self) -> int:
        return self.images.num_samples

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        path, label = self.images.files[index % len(self.images.files)]
        try:
            with Image.open(path) as image:
                fault = timm_images.fault_of_mode(image.mode)
                pixels = image.convert("RGB")
        except Exception as error:  # a decoder raises anything: struct.error, decompression bombs
            raise UnreadableImage(
                f"image {path} cannot be decoded ({unopened.why(path, error)}); "
                "correct or delete the file"
            ) from error
        if fault is not None:
            raise UnreadableImage(f"image {path} {fault}")
        return (self.transform(pixels) if self.transform else pixels), label


def with_classes(plan: Plan) -> Plan:
    """The plan with its number of classes filled in, where class folders say it."""
    if plan.data.options.get("num_classes") is not None or plan.data.root is None:
        return plan
    num_classes = class_folders(plan.data).num_classes
    options = plan.data.options | {"num_classes": num_classes}
    return dataclasses.replace(plan, data=dataclasses.replace(plan.data, options=options))


def class_folders(plan: DataPlan) -> folders.ClassFolders:
    """The set under `data.root`. Raises `PlanError`, also where it has more classes than asked."""
    class_set = folders.read(
        Path(str(plan.root)).expanduser().absolute(), plan.options.get("class_map")
    )
    asked = plan.options.get("num_classes")
    if asked is not None and class_set.num_classes > asked:
        raise PlanError(
            f"data.root={plan.root} has {class_set.num_classes} classes; "
            f"expected 1 to data.options.num_classes={asked}"
        )
    return class_set


def open_sets(plan: DataPlan, seed: int, batch_size: int = 1) -> tuple[Any, Any]:
    """Train and test images: each an `ImageSet`, or a data set of timm's factory. Raises
    `PlanError` where the set is not as it should be."""
    options = plan.options
    if plan.name == TIMM:
        return _of_factory(plan, seed, batch_size)
    try:
        if plan.name in EMBEDDED_JPEGS:
            size = (options["num_files"], options["width"], options["height"])
            train, test = embedded_images.synthetic_jpegs(Path(plan.cache_dir), *size)
            num_train, num_test = options["train_samples"], options["test_samples"]
        elif plan.name == "digits":
            train, test = embedded_images.digit_pngs(Path(plan.cache_dir))
            num_train, num_test = len(train), len(test)
        else:
            class_set = class_folders(plan)
            train, test = list(class_set.train), list(class_set.test)
            num_train, num_test = len(train), len(test)
    except OSError as error:
        raise PlanError(f"data={plan.name} cannot be opened: {error}; set data.cache_dir") from None
    if plan.fraction < 1:
        num_train = max(1, round(num_train * plan.fraction))
        if num_train < len(train):
            train = random.Random(seed).sample(train, num_train)
    return ImageSet(train, num_train), ImageSet(test, num_test)


def _of_factory(plan: DataPlan, seed: int, batch_size: int) -> tuple[Any, Any]:
    train, test = (timm_sets.open_split(plan, name, batch_size, seed) for name in ("train", "test"))
    if timm_images.is_stream(train):
        return train, test  # which shuffle for themselves
    indices = train_indices(len(train), plan.fraction, seed)
    name, num_classes = str(plan.options["dataset"]), int(plan.options["num_classes"])
    return (
        timm_images.MapImages(train, name, num_classes, indices),
        timm_images.MapImages(test, name, num_classes),
    )
