"""`data=timm`: any set that timm's own factory opens (`hfds/...`, `wds/...`, `torch/...`)."""

from __future__ import annotations

from typing import Any

from tasks.errors import PlanError
from tasks.plan import DataPlan

PREFIXES = ("hfds/", "hfids/", "wds/", "tfds/", "torch/")
_NEEDS = {"hfds/": "datasets", "hfids/": "datasets", "wds/": "webdataset", "torch/": "torchvision",
          "tfds/": "tensorflow_datasets"}  # fmt: skip


def check(plan: DataPlan) -> None:
    """Raises `PlanError` for a set that timm's factory does not open, or whose library is not
    installed."""
    import importlib.util

    name = str(plan.options.get("dataset"))
    prefix = next((one for one in PREFIXES if name.lower().startswith(one)), None)
    if prefix is None or name == prefix:
        raise PlanError(
            f"data.options.dataset={name} names no set of timm's factory; use one of "
            f"{', '.join(f'{one}NAME' for one in PREFIXES)}, or data=folder"
        )
    if plan.options.get("num_classes") is None:
        raise PlanError(
            "data.options.num_classes=null is missing; give the set's number of classes"
        )
    if importlib.util.find_spec(_NEEDS[prefix]) is None:
        raise PlanError(
            f"data.options.dataset={name} is read by the package {_NEEDS[prefix]}, which is not "
            f"installed; pip install {_NEEDS[prefix]}"
        )
    if plan.root is None and prefix in ("wds/", "torch/"):
        raise PlanError(f"data.options.dataset={name} needs data.root=FOLDER, where it lies")
    if plan.fraction < 1 and prefix in ("wds/", "hfids/", "tfds/"):
        raise PlanError(
            f"data.fraction={plan.fraction:g} needs a set that is read in any order; {name} is a "
            "stream: use data.fraction=1"
        )


def open_split(plan: DataPlan, split: str, batch_size: int, seed: int) -> Any:
    """timm's data set of `train` or `test`; map-style or a stream. Raises `PlanError`."""
    from timm.data import create_dataset

    name, is_training = str(plan.options["dataset"]), split == "train"
    wanted = str(plan.options.get(f"{split}_split") or {"test": "validation"}.get(split, split))
    try:
        images = create_dataset(
            name,
            root=plan.root,
            split=wanted,
            is_training=is_training,
            batch_size=batch_size,
            seed=seed,
            download=False,
        )
        num_samples = len(images)
    except Exception as error:  # each library of sets raises its own
        why = (" ".join(str(error).split()) or type(error).__name__)[:200]
        raise PlanError(
            f"data.options.dataset={name} has no split {wanted} that can be opened under "
            f"data.root={plan.root}: {why}; set data.options.{split}_split, or prepare the set "
            "beforehand"
        ) from error
    if num_samples == 0:
        raise PlanError(f"data.options.dataset={name}: split {wanted} is empty; choose another")
    _require_classes(name, images, int(plan.options["num_classes"]))
    return images


def _require_classes(name: str, images: Any, num_classes: int) -> None:
    """Where the set tells its classes, they are as many as the head has."""
    told = _num_classes(images)
    if told is not None and told != num_classes:
        raise PlanError(
            f"data.options.num_classes={num_classes}, but {name} has {told} classes; give "
            f"data.options.num_classes={told}"
        )


def _num_classes(images: Any) -> int | None:
    classes = getattr(images, "classes", None)
    if classes is not None:
        return len(classes)
    reader = getattr(images, "reader", None)
    features = getattr(getattr(reader, "dataset", None), "features", None) or {}
    label = features.get(getattr(reader, "label_key", "label"))
    number = getattr(label, "num_classes", None)
    return None if number is None else int(number)
