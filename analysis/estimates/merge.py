"""Rows of the tidy DataFrame into measured set-ups: one per combination that must agree.

Records of the same model on the same hardware, batch size, precision, data, scale and
schema are one set-up, with one rate per stage and phase; anything else is another set-up,
never an average over both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from analysis.estimates import net
from analysis.records.calibration import Calibration
from metering.record import Stage


class SetUp(NamedTuple):
    """What must agree before records are merged (beside stage and phase)."""

    kind: str
    schema_version: float
    task: str
    model: str
    paper_row: str
    dataset: str
    data: str
    data_fraction: float
    hardware: str
    gpu_name: str
    cpu_model: str
    num_devices: float
    num_nodes: float | None
    batch_size: float
    precision: str
    variant: str
    scale: str


@dataclass(frozen=True)
class MeasuredRate:
    """kWh and seconds per sample of one phase, with the half-width of its 95 % interval.

    idle_kwh_per_sample: idle power x seconds, with its own half-width; None where a record has
    no idle power or no pace."""

    kwh_per_sample: float
    half_width: float | None
    s_per_sample: float | None
    num_samples: float
    num_records: int
    sensors: str
    emissions_kg_co2eq_per_sample: float | None = None
    idle_kwh_per_sample: float | None = None
    idle_half_width: float | None = None
    note: str = ""


@dataclass
class Measured:
    """One set-up with everything its records found out."""

    key: SetUp
    rates: dict[tuple[str, str], MeasuredRate] = field(default_factory=dict)
    recipe: tuple[Stage, ...] = ()
    wall_meter: Calibration | None = None
    setup_kwh: float | None = None
    checkpoint_kwh: float | None = None
    params_m: float | None = None
    gmacs: float | None = None
    views: float | None = None
    quality_pct: float | None = None
    notes: tuple[str, ...] = ()


_USED = (
    *SetUp._fields, "stage", "phase", "kwh_per_sample", "kwh_half_width", "s_per_sample",
    "s_half_width", "idle_power_w", "num_samples", "gpu_sensor", "cpu_sensor", "ram_sensor",
    "emissions_kg_co2eq", "recipe", "started_at", "setup_kwh", "checkpoint_kwh", "params_m",
    "gmacs", "top1_pct", "miou_pct", "flags", "wall_meter", "views_per_sample",
)  # fmt: skip
_NUM_KEY = len(SetUp._fields)


def merge(frame: pd.DataFrame) -> list[Measured]:
    """Finished runs with a rate, merged. Sorted by model, hardware and batch size."""
    usable = frame[(frame["status"] == "finished") & frame["kwh_per_sample"].notna()]
    usable = usable.sort_values("started_at", kind="stable")
    groups: dict[tuple[Any, ...], dict[tuple[str, str], list[dict[str, Any]]]] = {}
    names = _USED[_NUM_KEY:]
    for values in zip(*(_plain(usable[name]) for name in _USED), strict=True):
        row = dict(zip(names, values[_NUM_KEY:], strict=True))
        phases = groups.setdefault(values[:_NUM_KEY], {})
        phases.setdefault((row["stage"], row["phase"]), []).append(row)
    found = [_measured(SetUp(*key), phases) for key, phases in groups.items()]
    return sorted(found, key=lambda one: tuple(str(part) for part in one.key))


def _plain(column: pd.Series) -> list[Any]:
    """Python values, None for absent: equal keys compare equal, NaN would not."""
    values = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    absent = column.isna()
    if not absent.any():
        return list(values.tolist())
    return [None if gone else value for value, gone in zip(values, absent, strict=True)]


def _measured(key: SetUp, phases: dict[tuple[str, str], list[dict[str, Any]]]) -> Measured:
    rates = {phase: _rate(rows) for phase, rows in phases.items()}
    rows = [row for some in phases.values() for row in some]
    recipes = list(dict.fromkeys(row["recipe"] for row in rows if row["recipe"]))
    # a pre-training step's network has a decoder, a second tower or another head besides
    own = [row for row in rows if row["stage"] in ("supervised", "finetune", "distill")]
    newest = max(rows, key=lambda row: row["started_at"])
    said = [note for rate in rates.values() if (note := rate.note)]
    if len(recipes) > 1:
        said.append("its records carry different recipes; the newest is used")
    said.extend(flag for row in rows for flag in (row["flags"] or "").split("; ") if flag)
    return Measured(
        key=key,
        rates=rates,
        recipe=newest["recipe"] or (recipes[-1] if recipes else ()),
        wall_meter=newest["wall_meter"],
        setup_kwh=_mean([row["setup_kwh"] for row in rows]),
        checkpoint_kwh=_mean([row["checkpoint_kwh"] for row in rows]),
        params_m=_last(own, "params_m"),
        gmacs=_last(own, "gmacs"),
        views=_last([row for row in rows if row["phase"] == "test"], "views_per_sample"),
        quality_pct=_last(rows, "top1_pct", "miou_pct"),
        notes=tuple(dict.fromkeys(said)),
    )


def _rate(rows: Sequence[dict[str, Any]]) -> MeasuredRate:
    """Mean over records, weighted by their samples (`_pooled`)."""
    weights = [float(row["num_samples"] or 0) for row in rows]
    if not sum(weights):
        weights = [1.0] * len(rows)
    weights = [weight / sum(weights) for weight in weights]
    kwh = [(float(row["kwh_per_sample"]), row["kwh_half_width"]) for row in rows]
    mean, half_width, differ = _pooled(weights, kwh)
    idle_kwh, idle_half_width = None, None
    if all(row["idle_power_w"] is not None and row["s_per_sample"] is not None for row in rows):
        names = ("idle_power_w", "s_per_sample", "s_half_width")
        idle = [net.idle_kwh_per_sample(*(row[name] for name in names)) for row in rows]
        idle_kwh, idle_half_width, _ = _pooled(weights, idle)
    note = f"{len(rows)} records differ by more than their intervals: spread shown"
    return MeasuredRate(
        kwh_per_sample=mean,
        half_width=half_width,
        s_per_sample=_mean([row["s_per_sample"] for row in rows]),
        num_samples=sum(float(row["num_samples"] or 0) for row in rows),
        num_records=len(rows),
        sensors=_sensors(rows[-1]),
        emissions_kg_co2eq_per_sample=_emissions(rows),
        idle_kwh_per_sample=idle_kwh,
        idle_half_width=idle_half_width,
        note=note if differ else "",
    )


def _pooled(
    weights: Sequence[float], parts: Sequence[tuple[float, float | None]]
) -> tuple[float, float | None, bool]:
    """The weighted mean of numbers with half-widths, and its half-width: that of a weighted mean,
    or, where the numbers differ by more than it, their spread, which the third says."""
    mean = sum(weight * value for weight, (value, _) in zip(weights, parts, strict=True))
    widths = [width for _, width in parts if width is not None]
    if len(widths) < len(parts):
        return mean, None, False
    half_width = math.hypot(*(w * width for w, width in zip(weights, widths, strict=True)))
    spread = max(abs(value - mean) for value, _ in parts)
    if spread > max(half_width, *widths):
        return mean, spread, True
    return mean, half_width, False


def _sensors(row: dict[str, Any]) -> str:
    parts = (("GPU", "gpu_sensor"), ("CPU", "cpu_sensor"), ("RAM", "ram_sensor"))
    return ", ".join(f"{name} {row[key]}" for name, key in parts if row[key])


def _emissions(rows: Sequence[dict[str, Any]]) -> float | None:
    known = [row for row in rows if row["emissions_kg_co2eq"] is not None and row["num_samples"]]
    if not known:
        return None
    return float(
        sum(row["emissions_kg_co2eq"] for row in known) / sum(row["num_samples"] for row in known)
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _last(rows: Sequence[dict[str, Any]], *names: str) -> float | None:
    for row in reversed(rows):
        for name in names:
            if row[name] is not None:
                return float(row[name])
    return None
