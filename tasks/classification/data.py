"""Image files and their labels for classification, and timm's loaders over them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.data import embedded_images
from tasks.errors import PlanError
from tasks.patches import timm as timm_patches
from tasks.plan import DataPlan

if TYPE_CHECKING:
    import torch

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


@dataclass(frozen=True)
class ImageSet:
    """Files with labels, and the length of the set that they stand for (repeated to it)."""

    files: list[tuple[Path, int]]
    num_samples: int


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
                f"image {path} cannot be decoded ({type(error).__name__}); mend or remove it"
            ) from error
        return (self.transform(pixels) if self.transform else pixels), label


def open_sets(plan: DataPlan, seed: int) -> tuple[ImageSet, ImageSet]:
    """Train and test images. Raises `PlanError` where the set is not as it should be."""
    options = plan.options
    try:
        if plan.name == "synthetic":
            size = (options["num_files"], options["width"], options["height"])
            train, test = embedded_images.synthetic_jpegs(Path(plan.cache_dir), *size)
            num_train, num_test = options["train_samples"], options["test_samples"]
        elif plan.name == "digits":
            train, test = embedded_images.digit_pngs(Path(plan.cache_dir))
            num_train, num_test = len(train), len(test)
        else:
            train, test = _folders(Path(str(plan.root)), options["num_classes"])
            num_train, num_test = len(train), len(test)
    except OSError as error:
        raise PlanError(f"data={plan.name} cannot be opened: {error}; set data.cache_dir") from None
    if plan.fraction < 1:
        num_train = max(1, round(num_train * plan.fraction))
        if num_train < len(train):
            train = random.Random(seed).sample(train, num_train)
    return ImageSet(train, num_train), ImageSet(test, num_test)


def _folders(root: Path, num_classes: int) -> tuple[list[tuple[Path, int]], ...]:
    missing = [name for name in ("train", "val") if not (root / name).is_dir()]
    if missing:
        raise PlanError(
            f"data.root={root} has no folder {' and no folder '.join(missing)}; "
            "expected root/train/<class>/*.JPEG and root/val/<class>/*.JPEG"
        )
    names = sorted(entry.name for entry in os.scandir(root / "train") if entry.is_dir())
    if not names or len(names) > num_classes:
        raise PlanError(
            f"data.root={root}/train has {len(names)} class folders; "
            f"expected 1 to data.options.num_classes={num_classes}"
        )
    sets = []
    for split in ("train", "val"):
        files = [
            (Path(entry.path), label)
            for label, name in enumerate(names)
            if (root / split / name).is_dir()
            for entry in sorted(os.scandir(root / split / name), key=lambda item: item.name)
            if entry.name.lower().endswith(IMAGE_SUFFIXES)
        ]
        if not files:
            raise PlanError(
                f"data.root={root}/{split} holds no images; expected {split}/<class>/*.JPEG"
            )
        sets.append(files)
    return tuple(sets)


def loader(
    images: ImageSet,
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
    return create_loader(
        ImageFiles(images),  # type: ignore[arg-type]
        input_size=(3, input_size, input_size),
        batch_size=batch_size,
        is_training=is_training,
        mean=data_config["mean"],
        std=data_config["std"],
        crop_pct=data_config["crop_pct"],
        num_workers=num_workers,
        distributed=distributed,
        device=device,
        use_prefetcher=True,
        use_multi_epochs_loader=num_workers > 0,
        persistent_workers=num_workers > 0,
        pin_memory=device.type == "cuda",
        **augment,
    )
