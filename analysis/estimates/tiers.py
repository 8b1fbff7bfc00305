"""How far a measured number can be trusted, and whether it may become a full recipe's cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from analysis.published import facts as published
from metering.record import Stage
from metering.setup import SetUp

Tier = Literal["counter", "power", "modelled", "small"]
TIERS: tuple[Tier, ...] = ("counter", "power", "modelled", "small")
"""From the surest to the least sure. counter: an energy counter read the device that computed;
power: its power was sampled and integrated; modelled: rated power x load; small: a scaled-down
study, or another input size than the recipe's."""
READ: tuple[Tier, ...] = ("counter", "power")
"""Tiers whose device was read: only these compete in ranks and for the Pareto front."""

_OF_SENSOR: dict[str, Tier] = {"counter": "counter", "rapl": "counter", "power": "power"}


def tier_of(setup: SetUp, at_recipe_size: bool, phase: Mapping[str, Any] | None = None) -> Tier:
    """The tier of a run. phase: see `sensor_tier`."""
    if setup.asked.scale == "small" or not at_recipe_size:
        return "small"
    return sensor_tier(setup, phase or {})


def sensor_tier(setup: SetUp, phase: Mapping[str, Any]) -> Tier:
    """How the device that computed was read: the GPU where one was metered, else the CPU. A device
    without a reading counts as modelled.

    phase: how each component was read in it, as `gpu_sensor` and `cpu_sensor`; where it disagrees
    with the set-up, the less sure counts."""
    found = setup.found
    if found is None:
        return "modelled"
    component = "gpu" if found.device else "cpu"
    read = [found.sensors.get(component, "")]
    if isinstance(how := phase.get(f"{component}_sensor"), str):
        read.append(how)
    return least_sure(_OF_SENSOR.get(how, "modelled") for how in read)


def least_sure(tiers: Iterable[Tier]) -> Tier:
    """The tier of what rests on several runs. One is given at least."""
    return max(tiers, key=TIERS.index)


def recipe_size(setup: SetUp, recipe: Sequence[Stage], paper_row: str | None) -> int | None:
    """Side of the images, pixels, that the recipe has for the run's stage: the stage's own, else
    the one that the paper's row is about. None where nothing says: then the model's size, whatever
    it is, is its own."""
    wanted = setup.asked.stage
    for stage in reversed(recipe):  # plain training and fine-tuning are both `supervised`
        if stage.row is None and stage.input_size and _is_stage(stage, wanted):
            return stage.input_size
    if paper_row is None or setup.asked.task != "classification":
        return None
    size = published.value(paper_row, published.IMAGENET, "image_size_px")
    return None if size is None else round(size)


def _is_stage(stage: Stage, wanted: str) -> bool:
    if wanted == "pretrain":
        return stage.name == "pretrain"
    if wanted in ("supervised", "distill"):
        return stage.workload == "supervised" and stage.name != "pretrain"
    return stage.workload == wanted


def is_at_recipe_size(
    setup: SetUp, recipe: Sequence[Stage], paper_row: str | None, size_px: int | None
) -> bool:
    """Whether the run's images had the size that its recipe has for the stage. size_px: of the
    network as it was built, used where none was asked for; None where it is not known, which is
    not shown to be the recipe's (other tasks than classification keep their size in no record)."""
    expected = recipe_size(setup, recipe, paper_row)
    asked = setup.asked.input_size
    actual = asked[-1] if asked else size_px
    if actual is None:
        return expected is None or setup.asked.task != "classification"
    return expected is None or actual == expected
