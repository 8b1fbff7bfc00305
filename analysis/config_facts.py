"""What a record's free-form parts (config, host, code) say: data set, GPU, variant."""

from __future__ import annotations

from typing import Any

from metering.record import Stage


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


_DATASETS = (
    ("cityscapes", "Cityscapes"), ("ade20k", "ADE20K"), ("kinetics400", "K400"), ("k400", "K400"),
    ("somethingsomething", "SSv2"), ("ssv2", "SSv2"), ("sthv2", "SSv2"),
    ("imagenet", "ImageNet-1k"),
)  # fmt: skip


def gpu_name(host: dict[str, Any]) -> str | None:
    """The first GPU's name in a record's host facts; None on a machine without one."""
    gpus = host.get("gpu_states") or host.get("gpus")
    if isinstance(gpus, list) and gpus:
        return gpus[0].get("name") if isinstance(gpus[0], dict) else str(gpus[0])
    name = host.get("gpu") or host.get("gpu_name")
    return name if isinstance(name, str) else None


def variant(config: dict[str, Any]) -> str:
    """What else changes the rate: image size, memory layout, compilation."""
    size = number(config.get("model"), "input_size", 0)
    said = (
        f"{size:g} px" if size else "",
        "compiled" if config.get("compile") is True else "",
        "channels first" if config.get("channels_last") is False else "",
    )
    return ", ".join(word for word in said if word)


def number(values: Any, key: str, default: float) -> float:
    found = values.get(key, default) if isinstance(values, dict) else default
    return found if isinstance(found, int | float) else default


def text(values: dict[str, Any], *keys: str) -> str | None:
    return next((str(values[key]) for key in keys if values.get(key) is not None), None)
