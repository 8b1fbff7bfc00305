"""The MMSegmentation config of one run: the named one, its data set, its derivations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from tasks.config.refusals import validated
from tasks.config.values import Count, Text
from tasks.errors import PlanError
from tasks.openmmlab.configs import (
    apply_overrides,
    dicts,
    load_config,
    replace_values,
    without_downloads,
)
from tasks.plan import Plan
from tasks.segmentation.data import layout_of

if TYPE_CHECKING:
    from mmengine.config import Config

PACKAGE = "mmseg"
SMALL = 8  # scale=small: crops, images and strides are an eighth of the native ones
_LEAST_PIXELS = 32


@with_config(ConfigDict(extra="forbid"))
class Options(TypedDict, total=False):
    """`model.options`; see `native_config`. crop, stride: [height, width] in pixels."""

    dataset: Text
    crop: tuple[Count, Count]
    stride: tuple[Count, Count]
    num_classes: Count
    overrides: dict[str, Any]


def check_options(options: dict[str, Any]) -> None:
    """Raises `PlanError` for a key of `model.options` that means nothing here, or a bad value."""
    validated(Options, options, "model.options")


def native_config(plan: Plan) -> Config:
    """The plan's config with its data set and derivations, downloads taken out.

    `model.options` may hold: `dataset`, a file of `_base_/datasets` that replaces the config's
    own; `crop` and `stride`, (height, width) in pixels, of training crops and of the sliding
    test window; `num_classes`; `overrides`, dotted keys of the config. Where the config's data
    set is not that of `data=`, the data's own base file replaces it. Raises `PlanError`.
    """
    options = plan.model.options
    check_options(options)
    config = load_config(plan.model.source, PACKAGE, plan.model)
    _require_segmentor(config, plan)
    without_downloads(config)
    crop = crop_of(config)
    if _use_data_set(config, plan) and crop is not None:
        set_crop(config, crop)
    if "num_classes" in options:
        _set_num_classes(config, int(options["num_classes"]))
    _use_classes(config, plan)
    if "crop" in options:
        set_crop(config, tuple(options["crop"]))
    if "stride" in options:
        config.model.test_cfg.stride = tuple(options["stride"])
    apply_overrides(config, options.get("overrides", {}))
    return config


def shrink(config: Config, divisor: int = SMALL) -> None:
    """Divide every size in pixels: crops, the sizes images are resized to, window strides."""

    def smaller(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(smaller(entry) for entry in value)
        return max(_LEAST_PIXELS, value // divisor)

    replace_values(config, "crop_size", smaller)
    for node in dicts(config.model):
        if "img_size" in node:
            node["img_size"] = smaller(node["img_size"])
    if config.model.data_preprocessor.get("size") is not None:
        config.model.data_preprocessor.size = smaller(config.model.data_preprocessor.size)
    if config.model.test_cfg.get("stride") is not None:
        config.model.test_cfg.stride = smaller(config.model.test_cfg.stride)
    for loader in ("train_dataloader", "test_dataloader"):
        for node in dicts(config[loader].dataset.pipeline):
            for key in ("scale", "scales", "max_size"):
                if key in node:
                    node[key] = smaller(node[key])


def _require_segmentor(config: Config, plan: Plan) -> None:
    parts = ("model", "train_dataloader", "test_dataloader", "optim_wrapper")
    missing = [key for key in parts if not isinstance(config.get(key), dict)]
    missing += [
        f"{key}.{part}"
        for key, part, kind in (
            ("model", "decode_head", dict | list),
            ("model", "data_preprocessor", dict),
            ("model", "test_cfg", dict),
            ("train_dataloader", "dataset", dict),
            ("test_dataloader", "dataset", dict),
        )
        if key not in missing and not isinstance(config[key].get(part), kind)
    ]
    if missing:
        raise PlanError(
            f"model.source={plan.model.source} is not a whole segmentation config "
            f"(it lacks {', '.join(missing)}); name one that trains a model"
        )


def _use_data_set(config: Config, plan: Plan) -> bool:
    """Replace the data set where asked or needed; answers whether it was."""
    wanted = plan.data.options["dataset_type"]
    base = plan.model.options.get("dataset")
    own = config.train_dataloader.dataset.get("type")
    if base is None and own == wanted:
        return False
    source = load_config(f"_base_/datasets/{base or plan.data.options['dataset_config']}", PACKAGE)
    if source.train_dataloader.dataset.type != wanted:
        raise PlanError(
            f"model.options.dataset={base} does not read data={plan.data.name} ({wanted}); "
            "choose the data that it reads"
        )
    for key in ("train_dataloader", "test_dataloader", "test_evaluator"):
        config[key] = source[key]
    if own != wanted:
        _set_num_classes(config, int(plan.data.options["num_classes"]))
    return True


def replaced_data(plan: Plan) -> str | None:
    """A note where the config is one for another set than `data=`, which replaces it."""
    source = load_config(plan.model.source, PACKAGE, plan.model, imports=False)
    own = source.train_dataloader.dataset
    wanted = plan.data.options["dataset_type"]
    if own.get("type") == wanted or "dataset" in plan.model.options:
        return None
    while isinstance(own.get("dataset"), dict):  # RepeatDataset and its like
        own = own.dataset
    kind, classes = own.get("type"), _num_classes(source)
    return (
        f"the config is one for {kind}{f' ({classes} classes)' if classes else ''}, whose files "
        f"and pipeline are replaced by those of data={plan.data.name} ({wanted}, "
        f"{plan.data.options['num_classes']} classes)"
    )


def _use_classes(config: Config, plan: Plan) -> None:
    """Give the heads as many classes as `data.options.num_classes` says of a set of the user's.
    Raises `PlanError` where the masks of a real set have others than the heads."""
    asked, heads = int(plan.data.options["num_classes"]), _num_classes(config)
    if plan.data.root is None or heads is None or heads == asked:
        return
    if "num_classes" in plan.model.options:
        raise PlanError(
            f"model.options.num_classes={heads} and data.options.num_classes={asked} are both the "
            "number of classes in the masks; give the same number for both"
        )
    if asked == layout_of(plan.data).num_classes:
        raise PlanError(
            f"the config {plan.model.source} has {heads} classes in its head, and "
            f"data.options.num_classes={asked}, the public set's; if your masks have {heads}, give "
            f"data.options.num_classes={heads}, else model.options.num_classes={asked}"
        )
    _set_num_classes(config, asked)


def _num_classes(config: Config) -> int | None:
    """Of the head that decides; None where it says none."""
    heads = config.model.decode_head
    number = (heads[-1] if isinstance(heads, list) else heads).get("num_classes")
    return None if number is None else int(number)


def crop_of(config: Config) -> tuple[int, int] | None:
    """Height and width of a training crop, pixels."""
    size = config.model.get("data_preprocessor", {}).get("size")
    return None if size is None else (int(size[0]), int(size[1]))


def set_crop(config: Config, crop: tuple[int, int]) -> None:
    """Train on crops of (height, width) pixels, and test in windows of that size."""
    replace_values(config, "crop_size", lambda _: crop)
    for node in dicts(config.model):
        if "img_size" in node:
            node["img_size"] = crop
    config.model.data_preprocessor.size = crop


def _set_num_classes(config: Config, num_classes: int) -> None:
    before = _num_classes(config)
    for node in dicts(config.model):
        # an auxiliary head with another number (edges in STDC) tells other things apart
        if "num_classes" in node and before in {None, node["num_classes"]}:
            node["num_classes"] = num_classes
        weights = node.get("class_weight")
        if not isinstance(weights, list | tuple) or num_classes == before:
            continue
        # one per class belong to the old classes; one more is the weight of "no object"
        own = len(weights) == before
        node["class_weight"] = None if own else [1.0] * num_classes + [weights[-1]]
