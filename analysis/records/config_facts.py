"""What a record's free-form parts (config, host, code) say: data set, GPU, variant.

Absent or null is a default; what cannot be meant raises `RecordError` with the key's name.
"""

from __future__ import annotations

from typing import Any

from metering.record import RecordError, Stage

MOST = 2**63
"""A count above this is damage: no run has so many samples, blocks or devices."""


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


def gpu_name(host: dict[str, Any]) -> str | None:
    """The first GPU's name in a record's host facts; None on a machine without one."""
    gpus = host.get("gpu_states") or host.get("gpus")
    if isinstance(gpus, list) and gpus:
        first = gpus[0] if isinstance(gpus[0], dict) else {"name": gpus[0]}
        return text(first, "host.gpus.0", "name")
    return text(host, "host", "gpu", "gpu_name")


def variant(config: dict[str, Any]) -> str:
    """What else changes the rate, or the accuracy: image size, embedded files in a real set's
    stead, what the user changed of a library's config, memory layout, compilation."""
    size = whole(config, "model", "input_size", 0)
    data, options = group(config, "data"), group(group(config, "model"), "options")
    stands_in = data.get("root") is None and data.get("name") in REAL_SETS
    crop = options.get("crop")
    said = (
        f"{size} px" if size else "",
        f"crop {' x '.join(map(str, crop))}" if isinstance(crop, list | tuple) else "",
        f"overrides {str(options['overrides'])[:80]}" if options.get("overrides") else "",
        "embedded data" if stands_in else "",
        "compiled" if config.get("compile") is True else "",
        "channels first" if config.get("channels_last") is False else "",
    )
    return ", ".join(word for word in said if word)


def group(config: dict[str, Any], name: str) -> dict[str, Any]:
    """One group of a record's config, empty where it is absent."""
    values = config.get(name)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RecordError(f"config.{name}: {shown(values)} is not a group of settings")
    return values


def number(config: dict[str, Any], of: str, key: str, default: float, most: float = MOST) -> float:
    """`config[of][key]`, a number above 0 and up to `most`."""
    found = group(config, of).get(key)
    if found is None:
        return default
    if not is_number(found) or not 0 < found <= most:
        raise RecordError(f"config.{of}.{key}: {shown(found)} is not above 0 and up to {most:g}")
    return float(found)


def whole(config: dict[str, Any], of: str, key: str, default: int) -> int:
    """`config[of][key]`, a whole number from 1 to `MOST`."""
    found = number(config, of, key, default)
    if found != int(found):
        raise RecordError(f"config.{of}.{key}: {shown(found)} is not a whole number")
    return int(found)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(values: dict[str, Any], where: str, *keys: str) -> str | None:
    """The first of `keys` in `values` that is not absent; `where` they lie, for the error."""
    for key in keys:
        found = values.get(key)
        if isinstance(found, str):
            return found
        if found is not None:
            raise RecordError(f"{where}.{key}: {shown(found)} is not text")
    return None


def shown(value: Any) -> str:
    """A damaged value in one short line."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, dict | list):
        return f"a {type(value).__name__} of {len(value)}"
    said = repr(value)
    return said if len(said) <= 40 else f"{said[:40]}..."
