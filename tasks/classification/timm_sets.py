"""`data=timm`: any set that timm's own factory opens (`hfds/...`, `wds/...`, `torch/...`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

from metering.setup import DataSetUp
from tasks.classification import timm_content
from tasks.data.public_sets import class_digest
from tasks.errors import PlanError
from tasks.plan import DataPlan

PREFIXES = ("hfds/", "hfids/", "wds/", "tfds/", "torch/")
_CHOOSE = (
    "dataset",
    "num_classes",
    "input_key",
    "target_key",
    "train_split",
    "test_split",
    "train_samples",
    "test_samples",
)
"""Options that say which samples and labels of the set are read."""
_STREAMS = ("hfids/", "wds/", "tfds/")
_NEEDS = {
    "hfds/": "datasets",
    "hfids/": "datasets",
    "wds/": "webdataset",
    "torch/": "torchvision",
    "tfds/": "tensorflow_datasets",
}


def check(plan: DataPlan) -> None:
    """Raises `PlanError` for a set that timm's factory does not open, or whose library is not
    installed."""
    import importlib.util

    name = str(plan.options.get("dataset") or "null")
    prefix = _prefix(name)
    if prefix is None or name == prefix:
        raise PlanError(
            f"data.options.dataset={name} names no set of timm's factory; use one of "
            f"{', '.join(f'{kind}NAME' for kind in PREFIXES)}, or data=folder"
        )
    if plan.options.get("num_classes") is None:
        raise PlanError(
            "data.options.num_classes=null is missing; give the set's number of classes"
        )
    if importlib.util.find_spec(_NEEDS[prefix]) is None:
        raise PlanError(
            f"data.options.dataset={name} is read by the package {_NEEDS[prefix]}, which is not "
            f"installed; pip install {_NEEDS[prefix].replace('_', '-')}"
        )
    if plan.root is None and prefix in ("wds/", "torch/"):
        raise PlanError(f"data.options.dataset={name} needs data.root=FOLDER, where it lies")
    if plan.fraction < 1 and prefix in _STREAMS:
        raise PlanError(
            f"data.fraction={plan.fraction:g} needs a set that is read in any order; {name} is a "
            "stream: use data.fraction=1"
        )


def is_stream(plan: DataPlan) -> bool:
    """Whether the set is read from its beginning to its end, and in no other order."""
    return _prefix(str(plan.options.get("dataset"))) in _STREAMS


def called(plan: DataPlan) -> str:
    """The set's name in records: where its files lie is not in it."""
    name = str(plan.options.get("dataset"))
    place = _place(name)
    return name if place is None else f"{_prefix(name)}{place.name}"


def _place(name: str) -> Path | None:
    """The file or folder that a set is named by, where it is one."""
    place = Path(name[len(_prefix(name) or "") :]).expanduser()
    return place if place.exists() else None


def _root(plan: DataPlan) -> str | None:
    """`datasets` keeps its copy of a folder FOLDER as `root/FOLDER`: where that is the folder
    itself, the next run would take the copy for samples."""
    name = str(plan.options.get("dataset"))
    if str(_prefix(name)).startswith("hf") and _place(name) is not None:
        return str(Path(plan.cache_dir) / "datasets")
    return plan.root


def open_split(plan: DataPlan, split: str, batch_size: int, seed: int) -> Any:
    """timm's data set of `train` or `test`; map-style or a stream. Raises `PlanError`."""
    from timm.data import create_dataset

    from tasks.classification.timm_images import LabelCheck, is_stream
    from tasks.patches import timm as timm_patches

    name, is_training = str(plan.options["dataset"]), split == "train"
    wanted = str(plan.options.get(f"{split}_split") or {"test": "validation"}.get(split, split))
    keys: dict[str, Any] = {key: plan.options.get(key) for key in ("input_key", "target_key")}
    if _prefix(name) in _STREAMS:
        keys["num_samples"] = plan.options.get(f"{split}_samples")
    if _prefix(name) == "wds/":
        timm_patches.broken_samples_are_errors()
    try:
        with _library_of(name):
            images = create_dataset(
                name,
                root=_root(plan),
                split=wanted,
                is_training=is_training,
                batch_size=batch_size,
                seed=seed,
                download=False,
                **keys,
            )
            num_samples = len(images)
    except Exception as error:  # each library of sets raises its own
        raise _not_opened(error, plan, split, wanted) from error
    if num_samples == 0:
        number = f", or give +data.options.{split}_samples=NUMBER" if is_stream(images) else ""
        raise PlanError(
            f"data.options.dataset={name}: split {wanted} is empty; choose another{number}"
        )
    num_classes = int(plan.options["num_classes"])
    _require_label_column(name, images)
    _require_classes(name, images, num_classes)
    if is_stream(images):
        images.target_transform = LabelCheck(name, num_classes)
    return images


@contextmanager
def _library_of(name: str) -> Iterator[None]:
    """The set's library, quiet; it asks the Hugging Face Hub for no folder of this machine."""
    if not str(_prefix(name)).startswith("hf"):
        yield
        return
    import datasets

    from tasks.patches import hugging_face

    datasets.disable_progress_bars()  # the run has one of its own
    with hugging_face.what_lies_here(only=_place(name) is not None):
        yield


@dataclass(frozen=True)
class Contents:
    """Samples of the two splits, the names of the classes where the set has them, and a digest of
    some samples."""

    num_train: int
    num_test: int
    classes: tuple[str, ...] | None
    digest: str | None


def _not_opened(error: Exception, plan: DataPlan, split: str, wanted: str) -> PlanError:
    name = plan.options["dataset"]
    why = (" ".join(str(error).split()) or type(error).__name__)[:200]
    if "length is unknown" in why:
        return PlanError(
            f"data.options.dataset={name} does not say how many samples {wanted} has; give "
            f"+data.options.{split}_samples=NUMBER"
        )
    if isinstance(error, ConnectionError):
        return PlanError(
            f"data.options.dataset={name} is no folder here, and the Hugging Face Hub cannot "
            "be reached; open it once where there is a network, with the same "
            "data.root=FOLDER, and bring FOLDER here, or give hfds/FOLDER with parquet files"
        )
    return PlanError(
        f"data.options.dataset={name} has no split {wanted} that can be opened under "
        f"data.root={plan.root}: {why}; set data.options.{split}_split, or prepare the set "
        "beforehand"
    )


def setup(plan: DataPlan) -> DataSetUp:
    """Two sets of one name and another size, of other classes or samples, are not one.
    Raises `PlanError` where the set cannot be opened."""
    which = {key: value for key, value in plan.options.items() if key in _CHOOSE}
    contents = _contents(plan.root, plan.cache_dir, tuple(sorted(which.items())))
    named = (*_CHOOSE, "num_classes")
    splits = {key: which[key] for key in which if key.endswith(("_split", "_key"))}
    return DataSetUp(
        name=called(plan),
        origin="own",
        fraction=plan.fraction,
        num_classes=plan.options.get("num_classes"),
        num_train=contents.num_train,
        num_test=contents.num_test,
        class_digest=None if contents.classes is None else class_digest(contents.classes),
        content_digest=contents.digest,
        options=splits | {key: plan.options[key] for key in plan.options if key not in named},
    )


@cache
def _contents(root: str | None, cache_dir: str, options: tuple[tuple[str, Any], ...]) -> Contents:
    plan = DataPlan("timm", root, cache_dir=cache_dir, options=dict(options))
    train, test = (open_split(plan, split, batch_size=1, seed=0) for split in ("train", "test"))
    classes, of_test = _class_names(train), _class_names(test)
    if classes is not None and of_test is not None and classes != of_test:
        ours, theirs = next(pair for pair in zip_longest(classes, of_test) if pair[0] != pair[1])
        raise PlanError(
            f"data.options.dataset={plan.options['dataset']} has other classes for training than "
            f"for testing ({ours} and {theirs} for one number); give both splits the same"
        )
    return Contents(len(train), len(test), classes, timm_content.digest(train, test))


def _prefix(name: str) -> str | None:
    return next((prefix for prefix in PREFIXES if name.lower().startswith(prefix)), None)


def _features(images: Any) -> tuple[Any, str]:
    """Columns of a set of Hugging Face's or TensorFlow's library, and which is the label."""
    reader = getattr(images, "reader", None)
    described = getattr(reader, "dataset", None) or getattr(reader, "builder", None)
    described = getattr(described, "info", described)
    label = getattr(reader, "label_key", None) or getattr(reader, "target_key", None) or "label"
    return getattr(described, "features", None) or {}, label


def _label(images: Any) -> Any:
    """The label's column. TensorFlow's features have no `get`."""
    features, label = _features(images)
    return features[label] if label in features else None  # noqa: SIM401


def _require_label_column(name: str, images: Any) -> None:
    features, label = _features(images)
    columns = _columns_without_images(images)
    if columns is not None:
        raise PlanError(
            f"data.options.dataset={name} has no images under the name asked for (image), but the "
            f"columns {', '.join(columns)}; give +data.options.input_key=COLUMN"
        )
    if features and label not in features:
        raise PlanError(
            f"data.options.dataset={name} has no column {label}, but {', '.join(features)}; give "
            "+data.options.target_key=COLUMN"
        )


def _columns_without_images(images: Any) -> list[str] | None:
    """The columns of a set of Hugging Face's library whose column of images is empty: timm adds an
    empty one where the set has none of that name. None where it has images."""
    reader = getattr(images, "reader", None)
    table = getattr(getattr(reader, "dataset", None), "data", None)
    column = getattr(reader, "image_key", None)
    if table is None or column not in table.column_names:
        return None
    is_empty = table.column(column).null_count == len(table)
    return [name for name in table.column_names if name != column] if is_empty else None


def _require_classes(name: str, images: Any, num_classes: int) -> None:
    """Where the set tells its classes, they are as many as the head has."""
    number = _num_classes(images)
    if number is not None and number != num_classes:
        raise PlanError(
            f"data.options.num_classes={num_classes}, but {name} has {number} classes; give "
            f"data.options.num_classes={number}"
        )


def _num_classes(images: Any) -> int | None:
    classes = getattr(images, "classes", None)
    if classes is not None:
        return len(classes)
    number = getattr(_label(images), "num_classes", None)
    return None if number is None else int(number)


def _class_names(images: Any) -> tuple[str, ...] | None:
    names = getattr(images, "classes", None) or getattr(_label(images), "names", None)
    return None if names is None else tuple(map(str, names))
