"""The groups of a plan: model, data, hardware. Frozen, typed, unknown keys refused."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from metering.record import Stage
from tasks.config.values import Count, Country, Flag, NonNegativeWhole, Positive, Price, Share

STRICT = ConfigDict(extra="forbid")
Accelerator = Literal["auto", "cpu", "cuda"]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Only what JSON can hold, so that a plan has an identity and a record."""
    _require_plain(values, "")
    return values


def _require_plain(value: Any, key: str) -> None:
    if isinstance(value, dict):
        for name, entry in value.items():
            _require_plain(entry, f"{key}.{name}".lstrip("."))
            if not isinstance(name, str):
                _refuse(key, name, "is not text, but the name of a key; quote it")
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            _require_plain(entry, f"{key}.{index}".lstrip("."))
    elif isinstance(value, float) and not math.isfinite(value):
        _refuse(key, value, "is not a finite number; give one")
    elif not isinstance(value, str | int | float | bool | None):
        _refuse(key, value, "is neither text nor a number; give one of them")


def _refuse(key: str, value: Any, words: str) -> None:
    raise PydanticCustomError("entry", words, {"key": key, "value": value})


def whole_where_whole(value: Any) -> Any:
    """`value` with 1 in place of 1.0, so that both are one run."""
    if isinstance(value, dict):
        return {name: whole_where_whole(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [whole_where_whole(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


Options = Annotated[dict[str, Any], AfterValidator(_plain)]


@dataclass(frozen=True, config=STRICT)
class ModelPlan:
    """A model as a row of the paper or of the user's choice.

    name: short name; source: the timm name, or the OpenMMLab config's name or path;
    input_size: pixels of a square input in this run, or None where the source decides;
    training: the named training set-up (`classification/training.py`), None where the source
    decides;
    recipe: the stages of the full training; options: passed on to the builder;
    imports: modules to import before the network is built; path: a folder that holds modules;
    checkpoint: a file, `pretrained` for the weights that the library publishes, or None;
    checkpoint_weights: which of them, where a file has both;
    digests: of the files that the user gave, `checkpoint` and `source`;
    recipe_size: pixels that the recipe has for the run's stage, None where the source decides.
    """

    name: str
    task: str
    source: str
    paper_row: str | None = None
    input_size: Count | None = None
    training: str | None = None
    recipe: tuple[Stage, ...] = ()
    options: Options = Field(default_factory=dict)
    checkpoint: str | None = None
    checkpoint_weights: Literal["plain", "ema"] = "plain"
    digests: dict[str, str] = Field(default_factory=dict)
    recipe_size: Count | None = None
    imports: tuple[str, ...] = ()
    path: str | None = None


@dataclass(frozen=True, config=STRICT)
class DataPlan:
    """name: the config's name; root: where real data lie, None for embedded data;
    fraction: share of the training set; num_workers: decoding processes per rank, None: chosen
    from the cores; options: what only this kind of data has (number of classes, image size)."""

    name: str
    root: str | None = None
    fraction: Share = 1.0
    cache_dir: str = ""
    num_workers: NonNegativeWhole | None = None
    on_error: Literal["fail", "skip"] = "fail"
    options: Options = Field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class HardwarePlan:
    """gpu: the name that the driver prints, None for a machine as it is (`local`);
    devices: how many processes compute on each node, one per GPU; num_threads: of PyTorch on the
    CPU, None for as many as the machine has cores; board_power_w: per GPU;
    power_limit_w: to be set on each board for the run, W; None: as it is;
    allow_power_limit: whether that may be done at all;
    price_per_kwh: number and currency, `0.28 EUR`; for previews of the cost;
    wall_meter: factor, offset_w and error_pct of a calibration, or empty; slurm: resources for a
    job."""

    name: str
    gpu: str | None = None
    devices: Count = 1
    nodes: Count = 1
    accelerator: Accelerator = "auto"
    num_threads: Count | None = None
    board_power_w: Positive | None = None
    power_limit_w: Positive | None = None
    allow_power_limit: Flag = False
    country_iso_code: Country | None = None
    price_per_kwh: Price | None = None
    wall_meter: dict[str, Any] = Field(default_factory=dict)
    slurm: dict[str, Any] = Field(default_factory=dict)

    @property
    def price(self) -> tuple[float, str] | None:
        """Of a kWh: number and currency."""
        if self.price_per_kwh is None:
            return None
        amount, currency = self.price_per_kwh.split()
        return float(amount), currency

    @property
    def num_ranks(self) -> int:
        return self.devices * self.nodes

    @property
    def has_nodes_alone(self) -> bool:
        """Whether a job asks for whole nodes (`slurm.exclusive`); where nothing says so, one that
        computes on CPUs does: all that it reads is the node's."""
        asked = self.slurm.get("exclusive")
        return not self.asks_for_gpus if asked is None else bool(asked)

    @property
    def asks_for_gpus(self) -> bool:
        """Whether a run on this hardware computes on GPUs, as far as the profile tells."""
        named = self.gpu or self.slurm.get("gres") or self.slurm.get("gpus_per_node")
        return self.accelerator != "cpu" and bool(named or self.accelerator == "cuda")
