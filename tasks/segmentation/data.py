"""Segmentation sets on disk: the real layouts checked, the embedded ones written.

Both kinds are read by MMSegmentation's own data set classes; nothing here decodes for a run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Required

from annotated_types import Len
from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from tasks.config.refusals import validated
from tasks.config.values import Count, Flag, Text
from tasks.data import layouts
from tasks.data.cache import PER_FILE
from tasks.errors import PlanError
from tasks.plan import DataPlan
from tasks.segmentation import mask_check

if TYPE_CHECKING:
    import numpy as np

_IGNORED = 255
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_NOISE = 0.6  # of 255: gives a 2048 x 1024 PNG about Cityscapes' 2.3 MB


@dataclass(frozen=True)
class Layout:
    """Where a set keeps images and label masks, and how their files end."""

    images: dict[str, str]
    masks: dict[str, str]
    image_suffix: str
    mask_suffix: str
    num_classes: int
    has_zero_label: bool  # 0 is "other" and the classes count from 1
    cure: str
    mask_cure: str


LAYOUTS = {
    "CityscapesDataset": Layout(
        images={split: f"leftImg8bit/{split}" for split in ("train", "val")},
        masks={split: f"gtFine/{split}" for split in ("train", "val")},
        image_suffix="_leftImg8bit.png",
        mask_suffix="_gtFine_labelTrainIds.png",
        num_classes=19,
        has_zero_label=False,
        cure="cityscapesScripts' createTrainIdLabelImgs writes the masks",
        mask_cure="cityscapesScripts' createTrainIdLabelImgs writes the masks",
    ),
    "ADE20KDataset": Layout(
        images={"train": "images/training", "val": "images/validation"},
        masks={"train": "annotations/training", "val": "annotations/validation"},
        image_suffix=".jpg",
        mask_suffix=".png",
        num_classes=150,
        has_zero_label=True,
        cure="data.root is the folder ADEChallengeData2016 itself",
        mask_cure="correct the mask, or set data.options.num_classes of a set of your own",
    ),
}


@dataclass(frozen=True)
class SegmentationSet:
    """A set that can be read: `root`, its number of training images, and how often the test
    images are repeated to the length of the set that they stand for (1 for a real set)."""

    root: Path
    num_train: int
    test_repeats: int


def layout_of(plan: DataPlan) -> Layout:
    return layouts.chosen(plan, "dataset_type", LAYOUTS)


@with_config(ConfigDict(extra="forbid"))
class Options(TypedDict, total=False):
    """`data.options`. sizes: [width, height] of embedded images, pixels; test_samples: of the set
    that they stand for; full_test: see the whole test set."""

    dataset_type: Required[Text]
    dataset_config: Text
    num_classes: Required[Count]
    sizes: Annotated[tuple[tuple[Count, Count], ...], Len(1)]
    num_files: Required[Count]
    test_samples: Required[Count]
    full_test: Flag


def check_options(plan: DataPlan) -> None:
    """Raises `PlanError` for a value of `data.options` that means nothing."""
    validated(Options, plan.options, "data.options")
    if plan.options["num_classes"] == 1:
        raise PlanError(
            "data.options.num_classes=1 leaves nothing to tell apart: any network is right in each "
            "pixel; give the background a class too, data.options.num_classes=2"
        )
    number, public = plan.options["num_classes"], layout_of(plan).num_classes
    if plan.root is None and number != public:
        raise PlanError(
            f"data.options.num_classes={number} is for masks of your own, and the embedded ones of "
            f"data={plan.name} have {public}; give data.root=FOLDER, or leave it out"
        )


def check_root(plan: DataPlan) -> None:
    """Raises `PlanError` naming the folder that a real set lacks. Reads no file."""
    layout = layout_of(plan)
    if plan.root is None:
        return
    root = Path(plan.root).expanduser()
    folders = [*layout.images.values(), *layout.masks.values()]
    missing = [folder for folder in folders if not (root / folder).is_dir()]
    if missing:
        raise PlanError(
            f"data.root={plan.root} has no folder {' and no folder '.join(missing)}; "
            f"data={plan.name} is read from {', '.join(folders)} ({layout.cure})"
        )


def check_masks(plan: DataPlan) -> None:
    """Look at every mask of a real set. Raises `PlanError` naming the first that cannot be used, or
    for masks that together have no classes, or have them counted from another number."""
    if plan.root is None:
        return
    layout, root = layout_of(plan), Path(plan.root).expanduser().absolute()
    labels: frozenset[int] = frozenset()
    largest = int(plan.options["num_classes"]) - (not layout.has_zero_label)
    for split in layout.images:
        _count_pairs(root, split, layout)
        images, masks = root / layout.images[split], root / layout.masks[split]
        pairs = [
            (images / (stem + layout.image_suffix), masks / (stem + layout.mask_suffix))
            for stem in sorted(_stems(images, layout.image_suffix))
        ]
        labels |= mask_check.check(pairs, largest, Path(plan.cache_dir), split, layout.mask_cure)
    mask_check.require_classes(
        plan, labels, first=int(layout.has_zero_label), num_public=layout.num_classes
    )


def open_set(plan: DataPlan, scale_down: int = 1) -> SegmentationSet:
    """The real set under `plan.root`, or the embedded one with sides divided by `scale_down`.

    Raises `PlanError` for a folder without images, an image without its mask, or a cache that
    cannot be written.
    """
    check_root(plan)
    layout = layout_of(plan)
    if plan.root is not None:
        root = Path(plan.root).expanduser()
        counts = {split: _count_pairs(root, split, layout) for split in layout.images}
        return SegmentationSet(root, counts["train"], test_repeats=1)
    options = plan.options
    num_files = int(options["num_files"])
    sizes = [(int(w) // scale_down, int(h) // scale_down) for w, h in options["sizes"]]
    label = "-".join(f"{width}x{height}" for width, height in sizes)
    root = layouts.embedded(
        plan,
        f"v2-{num_files}-{label}",
        lambda draft: _write(draft, layout, num_files, sizes),
        _num_bytes(layout, num_files, sizes),
    )
    repeats = max(1, round(int(options["test_samples"]) / _num_test_files(num_files)))
    return SegmentationSet(root, num_files, repeats)


def _count_pairs(root: Path, split: str, layout: Layout) -> int:
    images, masks = root / layout.images[split], root / layout.masks[split]
    stems = _stems(images, layout.image_suffix)
    if not stems:
        raise PlanError(
            f"data.root: {images} holds no *{layout.image_suffix}; give the folder of the real set"
        )
    lacking = sorted(stems - _stems(masks, layout.mask_suffix))
    if lacking:
        raise PlanError(
            f"data.root: {len(lacking)} images of {images} have no mask, the first lacks "
            f"{masks / (lacking[0] + layout.mask_suffix)} ({layout.cure})"
        )
    return len(stems)


def _stems(folder: Path, suffix: str) -> set[str]:
    """Relative paths without the suffix, through links as MMSegmentation reads them."""
    return {
        os.path.relpath(os.path.join(parent, name), folder).removesuffix(suffix)
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.endswith(suffix) and not name.startswith(".")
    }


def left_out(plan: DataPlan) -> Iterable[str]:
    """Notes on pictures of a real set that MMSegmentation does not read, as the set's images end
    in another way."""
    if plan.root is None:
        return
    layout, root = layout_of(plan), Path(plan.root).expanduser()
    for split in layout.images:
        ends = Counter(
            path.suffix
            for path in (root / layout.images[split]).rglob("*")
            if path.suffix.lower() in _PICTURES
            and not path.name.endswith(layout.image_suffix)
            and not path.name.startswith(".")
        )
        if ends:
            kinds = ", ".join(f"{number} {end}" for end, number in ends.items())
            yield (
                f"pictures in {layout.images[split]} that are not read, since "
                f"data={plan.name} has *{layout.image_suffix} alone: {kinds}"
            )


def _num_bytes(layout: Layout, num_files: int, sizes: list[tuple[int, int]]) -> float:
    """Of the embedded images and masks, about."""
    per_pixel = 1.3 if layout.image_suffix.endswith(".png") else 0.15
    pixels = sum(width * height for width, height in sizes) / len(sizes)
    return (num_files + _num_test_files(num_files)) * (per_pixel * pixels + 2 * PER_FILE)


def _num_test_files(num_files: int) -> int:
    return max(2, num_files // 4)


def _write(folder: Path, layout: Layout, num_files: int, sizes: list[tuple[int, int]]) -> None:
    import numpy as np
    from PIL import Image

    colours = np.random.default_rng(7).uniform(40, 215, (layout.num_classes, 3))
    draw = np.random.default_rng(0)
    for split, count in (("train", num_files), ("val", _num_test_files(num_files))):
        for index in range(count):
            width, height = sizes[index % len(sizes)]
            classes = _regions(draw, width, height, layout.num_classes)
            pixels = _photograph(draw, classes, colours)
            mask = classes + layout.has_zero_label
            mask[-max(1, height // 64) :] = 0 if layout.has_zero_label else _IGNORED
            stem = _stem(layout, split, index)
            image_path = folder / layout.images[split] / f"{stem}{layout.image_suffix}"
            mask_path = folder / layout.masks[split] / f"{stem}{layout.mask_suffix}"
            for path in (image_path, mask_path):
                path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(image_path, quality=92, compress_level=3)
            Image.fromarray(mask.astype(np.uint8)).save(mask_path)


def _stem(layout: Layout, split: str, index: int) -> str:
    if layout.has_zero_label:
        return f"ADE_{split}_{index + 1:08d}"
    return f"embedded/embedded_{index:06d}_000019"


def _regions(draw: np.random.Generator, width: int, height: int, num_classes: int) -> Any:
    """Label map (height, width), int64: patches around random points, each of one class."""
    import numpy as np
    from scipy.spatial import cKDTree

    num_patches, coarse = 24, 4
    centres = draw.uniform((0, 0), (height, width), (num_patches, 2))
    # few classes cover most of a street or a room: the k-th with weight 1 / k
    weights = 1 / np.arange(1, num_classes + 1)
    labels = draw.choice(num_classes, num_patches, p=weights / weights.sum())
    rows, columns = np.mgrid[0:height:coarse, 0:width:coarse]
    _, nearest = cKDTree(centres).query(np.stack([rows.ravel(), columns.ravel()], axis=1))
    grid = labels[nearest].reshape(rows.shape)
    return grid.repeat(coarse, axis=0).repeat(coarse, axis=1)[:height, :width]


def _photograph(draw: np.random.Generator, classes: Any, colours: Any) -> Any:
    """RGB (height, width, 3), uint8: a colour for each class under a camera's slight noise, so
    that a network can learn the classes and a file has about a street photograph's size."""
    import numpy as np

    noise = _NOISE * draw.standard_normal((*classes.shape, 1), dtype=np.float32)
    pixels = colours.astype(np.float32)[classes] + noise
    pixels += draw.integers(-1, 2, pixels.shape, dtype=np.int8)
    return pixels.clip(0, 255).astype(np.uint8)
