"""Image files and their labels for classification, and timm's loaders over them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.classification import folders, timm_sets
from tasks.data import embedded_images
from tasks.data.shares import train_indices
from tasks.errors import PlanError
from tasks.patches import timm as timm_patches
from tasks.plan import DataPlan, Plan

if TYPE_CHECKING:
    import torch

TIMM = "timm"  # the name of conf/data/timm.yaml


@dataclass(frozen=True)
class ImageSet:
    """Files with labels, and the length of the set that they stand for (repeated to it)."""

    files: list[tuple[Path, int]]
    num_samples: int

    def __len__(self) -> int:
        return self.num_samples


class FactoryImages:
    """Samples of a set that timm's factory opened, in any order; `transform` is set by timm's
    loader. indices: which of them, None for all."""

    def __init__(self, images: Any, indices: list[int] | None) -> None:
        self.images, self.indices = images, indices
        self.transform: Callable[[Any], Any] | None = None

    def __len__(self) -> int:
        return len(self.images) if self.indices is None else len(self.indices)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        pixels, label = self.images[index if self.indices is None else self.indices[index]]
        pixels = pixels.convert("RGB")
        return (self.transform(pixels) if self.transform else pixels), int(label)


class UnreadableImage(RuntimeError):
    """A file of the set that cannot be decoded. One argument, so that it survives the way
    from a loader's worker, where PyTorch puts the worker's traceback before it."""

    def in_one_line(self) -> str:
        return str(self).strip().splitlines()[-1].removeprefix(f"{__name__}.UnreadableImage: ")


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
                pixels = image.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise UnreadableImage(
                f"image {path} cannot be decoded ({type(error).__name__}); "
                "correct or delete the file"
            ) from error
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
    found = folders.read(
        Path(str(plan.root)).expanduser().absolute(), plan.options.get("class_map")
    )
    asked = plan.options.get("num_classes")
    if asked is not None and found.num_classes > asked:
        raise PlanError(
            f"data.root={plan.root} has {found.num_classes} classes; "
            f"expected 1 to data.options.num_classes={asked}"
        )
    return found


def open_sets(plan: DataPlan, seed: int, batch_size: int = 1) -> tuple[Any, Any]:
    """Train and test images: each an `ImageSet`, or a data set of timm's factory. Raises
    `PlanError` where the set is not as it should be."""
    options = plan.options
    if plan.name == TIMM:
        return _of_factory(plan, seed, batch_size)
    try:
        if plan.name == "synthetic":
            size = (options["num_files"], options["width"], options["height"])
            train, test = embedded_images.synthetic_jpegs(Path(plan.cache_dir), *size)
            num_train, num_test = options["train_samples"], options["test_samples"]
        elif plan.name == "digits":
            train, test = embedded_images.digit_pngs(Path(plan.cache_dir))
            num_train, num_test = len(train), len(test)
        else:
            found = class_folders(plan)
            train, test = list(found.train), list(found.test)
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
    if not hasattr(train, "__getitem__"):
        return train, test  # streams, which shuffle for themselves
    return FactoryImages(train, train_indices(len(train), plan.fraction, seed)), FactoryImages(
        test, None
    )


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
    augment: dict[str, Any] = {}
    if is_training:
        augment = {
            "auto_augment": training.auto_augment,
            "color_jitter": training.color_jitter,
            "re_prob": training.random_erasing,
            "re_mode": "pixel",
            "scale": tuple(options.get("crop_scale", training.crop_scale)),
            "hflip": options.get("hflip", training.hflip),
            "collate_fn": collate,
            # timm draws the interpolation per image; fixed where the source fixed it
            "interpolation": "random",
        }
        if training.aug_repeats > 1 and isinstance(images, ImageSet | FactoryImages):
            augment["num_aug_repeats"] = training.aug_repeats
    else:
        augment = {key: data_config[key] for key in ("interpolation", "crop_mode")}
    repeats = "num_aug_repeats" in augment
    alone = timm_patches.repeats_on_one_rank() if repeats and not distributed else nullcontext()
    with alone:
        return create_loader(
            ImageFiles(images) if isinstance(images, ImageSet) else images,  # type: ignore[arg-type]
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
            use_multi_epochs_loader=num_workers > 0,
            persistent_workers=num_workers > 0,
            pin_memory=device.type == "cuda",
            **augment,
        )
