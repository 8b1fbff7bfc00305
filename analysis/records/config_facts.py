"""What a record's set-up says to a reader: the data set, and what else tells two runs apart."""

from __future__ import annotations

from metering.record import Stage
from metering.setup import Asked


def dataset_of(task: str, data: str, recipe: tuple[Stage, ...]) -> str:
    """The paper's name of the data set that this run's row is about.

    Synthetic data stand in for the set that the recipe's last own stage names.
    """
    own = [stage.dataset for stage in recipe if stage.row is None and stage.dataset]
    for name in (data, *reversed(own)):
        for key, dataset in _DATASETS:
            if key in name.lower().replace("-", "").replace("_", ""):
                return dataset
    return "ImageNet-1k" if task == "classification" and data == "synthetic" else data


REAL_SETS = ("imagenet", "cityscapes", "ade20k", "kinetics400", "sthv2")
"""Names of `data=` that without a root are embedded files in the set's layout."""

_DATASETS = (
    ("cityscapes", "Cityscapes"), ("ade20k", "ADE20K"), ("kinetics400", "K400"), ("k400", "K400"),
    ("somethingsomething", "SSv2"), ("ssv2", "SSv2"), ("sthv2", "SSv2"),
    ("imagenet", "ImageNet-1k"),
)  # fmt: skip


def variant(asked: Asked) -> str:
    """What else changes the rate, or the accuracy: image size, embedded files in a real set's
    stead, what the user changed of a library's config, memory layout, compilation."""
    options, size = asked.network_options, asked.input_size or ()
    stands_in = asked.data.origin == "embedded" and asked.data.name in REAL_SETS
    crop = options.get("crop")
    words = (
        f"{' x '.join(map(str, size if len(set(size)) > 1 else size[:1]))} px" if size else "",
        f"crop {' x '.join(map(str, crop))}" if isinstance(crop, list | tuple) else "",
        f"overrides {str(options['overrides'])[:80]}" if options.get("overrides") else "",
        "embedded data" if stands_in else "",
        "compiled" if asked.compile else "",
        "" if asked.channels_last else "channels first",
    )
    return ", ".join(word for word in words if word)
