"""Facts about tasks and data sets, in one place for all who read them.

A fourth task is a package `tasks/NAME`, its YAML files under `conf/` and one entry in `TASKS` with
its sets in `DATA_SETS`; tables, plans and reports read the rest from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class TaskFacts:
    """name: as in `task=NAME`, and of the package `tasks.NAME`; title: for a reader; table: name of
    its table; quality_key: of the accuracy in a phase's `quality`, in %; quality_name: for a
    reader; sample: what one sample is."""

    name: str
    title: str
    table: str
    quality_key: str
    quality_name: str
    sample: str


@dataclass(frozen=True)
class DataSet:
    """name: as in `data=NAME`; display_name: for a reader, the paper's where it has one; task: of
    `TASKS`; num_train, num_test: samples of the public set, `None` where unknown; num_classes: of
    the head; aliases: other names that mean this set; in_table: a column of its task's table;
    stands_in_for: name of the set whose cost these embedded files show."""

    name: str
    display_name: str
    task: str
    num_train: int | None = None
    num_test: int | None = None
    num_classes: int | None = None
    aliases: tuple[str, ...] = ()
    in_table: bool = False
    stands_in_for: str | None = None


TASKS: tuple[TaskFacts, ...] = (
    TaskFacts("segmentation", "Semantic segmentation", "table1", "miou_pct", "mIoU", "image"),
    TaskFacts("action_recognition", "Action recognition", "table2", "top1_pct", "Top-1", "video"),
    TaskFacts("classification", "Image classification", "table3", "top1_pct", "Top-1", "image"),
)

DATA_SETS: tuple[DataSet, ...] = (
    DataSet(  # Cordts 2016, section 2.2
        "cityscapes", "Cityscapes", "segmentation", 2_975, 500, 19, in_table=True
    ),
    DataSet(  # Zhou 2017; 150 classes in the scene parsing challenge
        "ade20k", "ADE20K", "segmentation", 20_210, 2_000, 150, in_table=True
    ),
    DataSet(  # Goyal 2017, version 2, as MMAction2 counts it
        "sthv2", "SSv2", "action_recognition", 168_913, 24_777, 174,
        aliases=("ssv2", "somethingsomethingv2", "somethingsomething"), in_table=True,
    ),
    DataSet(  # Kay 2017, as MMAction2 counts it
        "kinetics400", "K400", "action_recognition", 234_619, 19_761, 400,
        aliases=("k400", "kinetics"), in_table=True,
    ),
    DataSet(  # Russakovsky 2015, Table 2
        "imagenet", "ImageNet-1k", "classification", 1_281_167, 50_000, 1000,
        aliases=("imagenet1k", "in1k", "ilsvrc2012", "ilsvrc"), in_table=True,
    ),
    DataSet("synthetic", "synthetic", "classification", stands_in_for="imagenet"),
    # the same files, decoded once: reading and decoding are not in the cost
    DataSet("tensors", "tensors", "classification", stands_in_for="imagenet"),
    # scikit-learn's handwritten digits, a fifth of them kept for the test
    DataSet("digits", "Digits", "classification", 1_437, 360, 10),
    # Deng 2009, autumn 2011; the head that Google published: Steiner 2021
    DataSet("imagenet21k", "ImageNet-21k", "classification", 14_197_122, None, 21_843,
            aliases=("im21k", "in21k")),
    # the same images; the head of Liu 2021 (Swin), section 4.1, and Liu 2022 (ConvNeXt)
    DataSet("imagenet22k", "ImageNet-22k", "classification", 14_197_122, None, 21_841,
            aliases=("im22k", "in22k")),
    # Dosovitskiy 2021, section 4.1: 303 million images, about 18 thousand classes
    DataSet("jft300m", "JFT-300M", "classification", 303_000_000, None, 18_291, aliases=("jft",)),
    # Radford 2021, section 2.2: pairs of an image and a text, no classes
    DataSet("wit400m", "WIT-400M", "classification", 400_000_000),
)  # fmt: skip


def task_names() -> tuple[str, ...]:
    return tuple(task.name for task in TASKS)


def task(name: str) -> TaskFacts | None:
    """The task called `name`, or None."""
    return next((known for known in TASKS if known.name == name), None)


def task_title(name: str) -> str:
    """The reader's name of a task; of one that the suite does not have, `name` itself."""
    known = task(name)
    return known.title if known else name


def data_set(name: str) -> DataSet | None:
    """The set that `name` means, by name, display name or alias, whatever its case, spaces,
    hyphens and underscores; None for any other name, be it close: a set of a user's own whose
    name holds `imagenet` is not ImageNet-1k."""
    wanted = _plain(name)
    for known in DATA_SETS:
        if wanted in map(_plain, (known.name, known.display_name, *known.aliases)):
            return known
    return None


def table_sets(task_name: str) -> tuple[DataSet, ...]:
    """The sets of a task's table, in the order of its columns."""
    return tuple(known for known in DATA_SETS if known.task == task_name and known.in_table)


def display_name(name: str, default: str | None = None) -> str:
    """The reader's name of a set; of an unknown one `default`, or `name` itself."""
    known = data_set(name)
    return known.display_name if known else (name if default is None else default)


def names(task_name: str | None = None) -> Sequence[str]:
    """Names of the sets, of all tasks or of one."""
    return [known.name for known in DATA_SETS if task_name in (None, known.task)]


@cache
def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
