"""What of a classification run changes its result: network, training by content, data."""

from __future__ import annotations

import dataclasses
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from metering import catalogue
from metering.setup import DataSetUp
from tasks.classification import data, timm_sets, training
from tasks.config import own_modules
from tasks.config.refusals import validated
from tasks.config.values import Count, Flag, Share, ShareOrNone, Text
from tasks.config.weight_files import PRETRAINED
from tasks.data import public_sets
from tasks.errors import PlanError
from tasks.plan import DataPlan, Plan


@with_config(ConfigDict(extra="forbid"))
class Options(TypedDict, total=False):
    """`data.options`. num_classes: None where class folders say it; class_map: a file that gives
    folders their index; dataset, train_split, test_split, input_key, target_key: of timm's
    factory; full_test: see the
    whole test set; crop_scale, hflip: instead of the training set-up's; the rest: of embedded
    files, in pixels, and of the set that they stand for.
    """

    num_classes: Required[Count | None]
    class_map: Text | None
    dataset: Text | None
    input_key: Text
    target_key: Text
    train_split: Text
    test_split: Text
    full_test: Flag
    crop_scale: tuple[Share, Share]
    hflip: ShareOrNone
    num_files: Count
    kept_batches: Count
    width: Count
    height: Count
    train_samples: Count
    test_samples: Count


EMBEDDED = ("num_files", "width", "height", "train_samples", "test_samples")
OF_THE_PLAN = {
    "pretrained": "give checkpoint=pretrained",
    "checkpoint_path": "give checkpoint=FILE, which is checked and recorded",
    "pretrained_cfg": "name the weights' tag in the model, model=NAME.TAG",
    "pretrained_cfg_overlay": "set model.input_size, or name a tag, model=NAME.TAG",
    "features_only": "a network for classification gives a number for each class: leave it out",
    "model_name": "give model=NAME",
    "cache_dir": "set HF_HOME in the environment: where weights are kept is no part of a run",
}
"""Arguments of timm's `create_model` that would change a run past its plan, with their cure."""
_SHARES = ("drop_rate", "drop_path_rate", "drop_block_rate")
"""Ends of options that are a share of what is dropped; a DenseNet's `growth_rate` is a number."""
STAGE_TRAININGS = {"mae": "mae", "beit": "beit", "beitv2": "beit", "clip": "clip"}
"""Self-supervised stages have a training set-up of their own."""


def check_options(plan: DataPlan) -> None:
    """Raises `PlanError` for a key or a value that means nothing for this set."""
    if plan.root is not None and plan.name in data.WITHOUT_ROOT:
        raise PlanError(
            f"data.root={plan.root} is not read by data={plan.name}, which makes its own images; "
            "write data=folder for class folders of yours, or leave data.root out"
        )
    options = validated(Options, plan.options, "data.options")
    if plan.name == data.TIMM:
        timm_sets.check(plan)
    if plan.options.get("num_classes") is None and plan.root is None:
        raise PlanError("data.options.num_classes=null is missing; give the number of classes")
    missing = [key for key in EMBEDDED if plan.name in data.EMBEDDED_JPEGS and key not in options]
    if missing:
        raise PlanError(f"data.options.{missing[0]} is missing; data={plan.name} needs it")


def check_model(plan: Plan) -> None:
    """Raises `PlanError` for a training set-up that is unknown, or a network of other channels."""
    training.named(plan.model.training)
    channels = plan.model.options.get("in_chans", 3)
    if channels != 3:
        raise PlanError(
            f"model.options.in_chans={channels} is not 3: images are read as RGB; leave it out"
        )
    if plan.model.checkpoint_weights == "ema" and plan.model.checkpoint in (None, PRETRAINED):
        raise PlanError(
            f"checkpoint_weights=ema chooses from a file, and checkpoint={plan.model.checkpoint} "
            "is none; give checkpoint=FILE, or leave checkpoint_weights out"
        )
    own = own_modules.callable_name(plan.model.source) is not None or plan.model.imports
    for option, cure in ({} if own else OF_THE_PLAN).items():
        if option in plan.model.options:
            value = plan.model.options[option]
            raise PlanError(f"model.options.{option}={value} is not for model.options; {cure}")
    for option, value in ({} if own else plan.model.options).items():
        if value == "None":
            raise PlanError(f"model.options.{option}=None is a text to Hydra; write null")
        if option.endswith(_SHARES) and value is not None and not _is_rate(value):
            raise PlanError(f"model.options.{option}={value} is not a share from 0 to 1; give one")
    if "num_classes" in plan.model.options:
        raise PlanError(
            f"model.options.num_classes={plan.model.options['num_classes']} is the data's to say; "
            "set data.options.num_classes"
        )


def _is_rate(value: Any) -> bool:
    """Of dropout: at 1 nothing is left."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1


def check_batch(plan: Plan) -> None:
    """Raises `PlanError` where the training set-up mixes pairs and a rank's batch is odd, or the
    batch is larger than the training set."""
    if "train" not in plan.phases:
        return
    name = STAGE_TRAININGS.get(plan.stage, plan.model.training)
    mixes = training.named(name).mixup or training.named(name).cutmix
    if mixes and plan.micro_batch % 2:
        raise PlanError(
            f"batch_size={plan.batch_size} gives each device an odd batch of {plan.micro_batch}, "
            f"but model.training={name} mixes images in pairs (mixup, cutmix); choose an even batch"
        )
    known = catalogue.data_set(plan.data.name)
    whole = data_setup(plan.data).num_train or (known.num_train if known else None)
    num_train = None if whole is None else max(1, round(whole * plan.data.fraction))
    if num_train is not None and num_train < plan.batch_size:
        raise PlanError(
            f"batch_size={plan.batch_size} is more than the {num_train} training images of "
            f"data={plan.data.name}; choose a smaller batch_size or a larger data.fraction"
        )


def wants_top1(plan: Plan) -> bool:
    """Whether an accuracy means something: of weights from a file on real labels, or of a network
    that is trained here to the end. The labels of embedded files mean nothing to other weights."""
    if _is_shared_stream(plan) or plan.data.options.get("num_classes") == 1:
        return False
    if plan.data.options.get("full_test"):
        return True
    return plan.model.checkpoint is not None and plan.data.name not in data.EMBEDDED_JPEGS


def _is_shared_stream(plan: Plan) -> bool:
    """Ranks see some samples of a stream twice and others never, so that each has as many."""
    is_stream = plan.data.name == data.TIMM and timm_sets.is_stream(plan.data)
    return is_stream and plan.hardware.num_ranks > 1


def notes(plan: Plan) -> tuple[str, ...]:
    """What the rate leaves out, and why there is no accuracy where a reader might expect one."""
    if plan.data.name == "tensors":
        return (
            "batches are kept on the device: reading and decoding are in no number",
            *_quality(plan),
        )
    if plan.data.root is not None and plan.data.name != data.TIMM:
        return (*data.class_folders(plan.data).notes, *_quality(plan))
    return _quality(plan)


def _quality(plan: Plan) -> tuple[str, ...]:
    if _is_shared_stream(plan):
        return ("no accuracy: several ranks do not see each sample of a stream once",)
    if plan.data.options.get("num_classes") == 1:
        return ("no accuracy: of one class any network is always right",)
    if plan.model.checkpoint is None:
        return ()
    asked = plan.data.options.get("num_classes")
    if wants_top1(plan) and plan.data.root is not None and plan.data.name != data.TIMM:
        number = data.class_folders(plan.data).num_classes
        few = f"{number} classes of data, and a head of {asked}: labels count from 0"
        return (few,) if asked not in (None, number) else ()
    if wants_top1(plan):
        return ()
    return (f"no accuracy: the labels of data={plan.data.name} mean nothing to these weights",)


def check_classes(plan: Plan) -> None:
    """Raises `PlanError` where a part of ImageNet's folders would be tested with a head of all its
    classes: timm counts the folders that are there, so that the labels would be others."""
    if plan.data.root is None or plan.model.checkpoint is None or "test" not in plan.phases:
        return
    if plan.data.name == data.TIMM or plan.data.options.get("class_map") is not None:
        return
    class_set, asked = data.class_folders(plan.data), plan.data.options.get("num_classes")
    if asked in (None, class_set.num_classes) or not set(class_set.classes) <= set(
        _imagenet_classes() or ()
    ):
        return
    raise PlanError(
        f"data.root={plan.data.root} has {class_set.num_classes} classes of ImageNet, and "
        f"data.options.num_classes={asked}: their labels would be others than the checkpoint's; "
        "give data.options.class_map=FILE with the folder of each class in a line"
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
    """Raises `PlanError` where the folder is not in the usual layout, or the set does not open."""
    if plan.name == data.TIMM:
        return timm_sets.setup(plan)
    if plan.root is None:
        files = public_sets.embedded(plan)
        is_real = plan.name == "digits"  # scikit-learn brings the scans themselves
        return dataclasses.replace(files, origin="real") if is_real else files
    class_set = data.class_folders(plan)
    return public_sets.on_disk(
        plan, class_set.train, class_set.test, class_set.classes, _imagenet_classes()
    )


@cache
def _imagenet_classes() -> tuple[str, ...] | None:
    """ImageNet-1k's folder names in order, from the list that timm brings."""
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "data" / "_info" / "imagenet_synsets.txt"
    return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else None
