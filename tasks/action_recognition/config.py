"""The MMAction2 config of one run: the named one, its data set, its derivations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from tasks.config.model_names import CONF_DIR
from tasks.config.refusals import validated
from tasks.config.values import Positive, Text
from tasks.errors import PlanError
from tasks.openmmlab.configs import (
    apply_overrides,
    config_path,
    dicts,
    load_config,
    without_downloads,
)
from tasks.plan import Plan

if TYPE_CHECKING:
    from mmengine.config import Config

PACKAGE = "mmaction"
OWN_CONFIGS = CONF_DIR / PACKAGE  # what MMAction2 does not have
SMALL = 7  # scale=small: crops and videos are a seventh of the native ones (224 -> 32)
_INFLATED = ("ResNet3d", "ResNetTSM")
_CROPS = ("size", "crop_size")
_SAMPLERS = ("SampleFrames", "UniformSample", "DenseSampleFrames")


@with_config(ConfigDict(extra="forbid"))
class Variant(TypedDict, total=False):
    """What `model.options` may hold, for all data or under a data set's name."""

    source: Text
    sampling: dict[str, Any]
    test_sampling: dict[str, Any]
    overrides: dict[str, Any]
    epochs: Positive


@with_config(ConfigDict(extra="forbid"))
class Options(Variant, total=False):
    """`model.options`; see `native_config`."""

    kinetics400: Variant
    sthv2: Variant


def check_options(options: dict[str, Any]) -> None:
    """Raises `PlanError` for a key of `model.options` that means nothing here."""
    validated(Options, options, "model.options")


def variant_of(plan: Plan) -> dict[str, Any]:
    """`model.options` for the plan's data set: what it says goes before the general."""
    options = plan.model.options
    check_options(options)
    general = {key: value for key, value in options.items() if key in Variant.__annotations__}
    return general | options.get(plan.data.name, {})


def source_of(plan: Plan) -> Path:
    """The config file: one of ours, of MMAction2's by name, or a path. Raises `PlanError`."""
    source = str(variant_of(plan).get("source", plan.model.source))
    own = OWN_CONFIGS / source
    return own if own.is_file() else config_path(source, PACKAGE)


def native_config(plan: Plan) -> Config:
    """The plan's config with its data set and derivations, downloads taken out.

    `model.options` may hold, for all data or under a data set's name: `source`, another config;
    `sampling` and `test_sampling`, what replaces the pipelines' frame sampler; `overrides`, dotted
    keys of the config; `epochs`, which only the recipe reads. A config of the other data set gets
    this one's classes, and loses its flips on Something-Something, where left is not right.
    Raises `PlanError`.
    """
    variant = variant_of(plan)
    config = load_config(str(source_of(plan)), PACKAGE, plan.model)
    _move_test_pipeline(config)
    _require_recognizer(config, plan)
    without_downloads(config)
    for node in dicts(config.model):
        if "clip_pretrained" in node:  # UniFormerV2 would fetch CLIP's weights
            node["clip_pretrained"] = False
        if "pretrained2d" in node or node.get("type") in _INFLATED:
            node["pretrained2d"] = False  # the default would inflate the weights of a 2D network
    _use_available_transforms(config)
    if not _reads(config, plan.data.name):
        config.model.cls_head.num_classes = int(plan.data.options["num_classes"])
        if plan.data.name == "sthv2":
            _drop(config, "Flip")
    for loader, key in (("train_dataloader", "sampling"), ("test_dataloader", "test_sampling")):
        if key in variant:
            _sample(pipeline(config, loader), dict(variant[key]))
    apply_overrides(config, variant.get("overrides", {}))
    return config


def pipeline(config: Config, loader: str) -> list[Any]:
    """The list of transforms of `train_dataloader` or `test_dataloader`."""
    transforms: list[Any] = config[loader].dataset.pipeline
    return transforms


def train_shape(config: Config) -> tuple[int, int, int]:
    """(frames, height, width) that one training sample has."""
    steps = pipeline(config, "train_dataloader")
    sampler = next(step for step in steps if step["type"] in _SAMPLERS)
    frames = int(sampler["clip_len"]) * int(sampler.get("num_clips", 1))
    height, width = next(size for step in reversed(steps) if (size := _size_after(step)))
    return frames, height, width


def _size_after(step: dict[str, Any]) -> tuple[int, int] | None:
    """(height, width) that every frame has after this step; None where that depends."""
    if step["type"] == "Resize" and step.get("keep_ratio") is False:
        width, height = step["scale"]
        return int(height), int(width)
    size = next((step[key] for key in _CROPS if key in step and "Crop" in step["type"]), None)
    if size is None:
        return None
    pair = size if isinstance(size, list | tuple) else (size, size)
    return int(pair[0]), int(pair[1])


def segments_of(config: Config) -> int:
    """How many frames of one sample a 2D network reads as one view; 1 for a 3D network, whose
    clips are whole views."""
    if config.model.type != "Recognizer2D":
        return 1
    return train_shape(config)[0]


def shrink(config: Config, divisor: int = SMALL) -> None:
    """Divide every size in pixels: crops, the sizes that frames are resized to, the network's."""

    def smaller(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(smaller(entry) for entry in value)
        return value if value < 0 else max(16, value // divisor)

    for loader in ("train_dataloader", "test_dataloader"):
        for step in dicts(pipeline(config, loader)):
            for key in ("scale", "scale_range", "input_size", *_CROPS):
                if key in step:
                    step[key] = smaller(step[key])
    for node in dicts(config.model):
        for key in ("img_size", "input_resolution"):
            if key in node:
                node[key] = smaller(node[key])


def _move_test_pipeline(config: Config) -> None:
    """MMAction2 1.2.0's TSM config of 16 frames on Something-Something sets the test pipeline on
    the loader instead of its data set, which would be tested with 8."""
    loader = config.get("test_dataloader", {})
    if "pipeline" in loader:
        loader["dataset"]["pipeline"] = loader.pop("pipeline")
        loader["dataset"]["test_mode"] = loader.pop("test_mode", True)


def _require_recognizer(config: Config, plan: Plan) -> None:
    missing = [key for key in ("model", "train_dataloader", "test_dataloader") if key not in config]
    if missing or "Recognizer" not in str(config.model.get("type")):
        raise PlanError(
            f"model.source={plan.model.source} is not a whole recognition config "
            f"(it lacks {', '.join(missing) or 'a Recognizer'}); name one that trains a recognizer"
        )
    kind = config.train_dataloader.dataset.get("type")
    if kind != "VideoDataset":
        raise PlanError(
            f"model.source={plan.model.source} reads a {kind}, not videos; name a config whose "
            "train_dataloader is a VideoDataset"
        )


def _reads(config: Config, data: str) -> bool:
    return data in str(config.train_dataloader.dataset.get("ann_file"))


def _use_available_transforms(config: Config) -> None:
    """RandAugment from torchvision: pytorchvideo does not import with current torchvision."""
    for loader in ("train_dataloader", "test_dataloader"):
        for step in pipeline(config, loader):
            if step["type"] == "PytorchVideoWrapper" and step.get("op") == "RandAugment":
                step["type"] = "TorchVisionWrapper"
                step["num_ops"] = step.pop("num_layers")


def _drop(config: Config, kind: str) -> None:
    dataset = config.train_dataloader.dataset
    dataset["pipeline"] = [step for step in dataset.pipeline if step["type"] != kind]


def _sample(steps: list[Any], sampler: dict[str, Any]) -> None:
    for at, step in enumerate(steps):
        if step["type"] in _SAMPLERS:
            steps[at] = sampler
