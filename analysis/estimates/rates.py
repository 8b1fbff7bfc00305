"""The rate of one stage's phase: the mean over its runs, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.estimates import net
from analysis.estimates.between_runs import Basis, RunsRate, Spread, rate_over_runs
from analysis.estimates.emissions import NO_FACTOR, Factor, factor_of
from analysis.estimates.run import Run


@dataclass(frozen=True)
class MeasuredRate:
    """kWh and seconds per sample of one stage's phase, mean over runs, with the half-width of its
    95 % interval and what the interval holds (`basis`).

    s_half_width: of the seconds, which differ between runs as the energy does. gpu_kwh_per_sample:
    what the GPUs took of it, None where a run read none. modelled_share: of the energy, 0..1, of
    components that no sensor read. idle_kwh_per_sample:
    idle power x seconds, with its own half-width; None where a record has no idle power or no
    pace."""

    kwh_per_sample: float
    half_width: float | None
    basis: Basis
    s_per_sample: float | None
    num_samples: float
    num_records: int
    sensors: str
    emission_factor: Factor = NO_FACTOR
    idle_kwh_per_sample: float | None = None
    idle_half_width: float | None = None
    s_half_width: float | None = None
    gpu_kwh_per_sample: float | None = None
    modelled_share: float | None = None
    why_no_interval: str = ""

    @property
    def is_result(self) -> bool:
        """False where the interval is as wide as the number: it says nothing then."""
        return self.half_width is None or self.half_width < self.kwh_per_sample


@dataclass(frozen=True)
class Pooled:
    """How much repeated runs differ on one hardware: in energy and in seconds per sample."""

    kwh: Spread | None = None
    pace: Spread | None = None


Spreads = Mapping[tuple[str, str], Pooled]
"""(hardware key of one collection, phase) -> how much repeated runs differ on it."""


def rate_of(runs: Sequence[Run], spreads: Spreads) -> MeasuredRate:
    spread = spreads.get((runs[0].hardware_key, runs[0].phase), Pooled())
    kwh = rate_over_runs(
        [run.kwh_per_sample for run in runs], [run["kwh_half_width"] for run in runs], spread.kwh
    )
    idle = _idle(runs, spread.pace)
    return MeasuredRate(
        kwh_per_sample=kwh.value,
        half_width=kwh.half_width,
        basis=kwh.basis,
        why_no_interval=kwh.why_none,
        s_per_sample=mean([run["s_per_sample"] for run in runs]),
        num_samples=sum(float(run["num_samples"] or 0) for run in runs),
        num_records=len(runs),
        sensors=_sensors(runs[-1]),
        emission_factor=factor_of(runs),
        idle_kwh_per_sample=idle.value if idle else None,
        idle_half_width=idle.half_width if idle else None,
        s_half_width=_pace_half_width(runs, spread.pace),
        gpu_kwh_per_sample=_gpu(runs),
        modelled_share=mean([_modelled_share(run) for run in runs]),
    )


def _modelled_share(run: Run) -> float | None:
    parts = [(run[f"{name}_kwh"], run[f"{name}_sensor"]) for name in ("gpu", "cpu", "ram")]
    known = [(kwh, how) for kwh, how in parts if kwh]
    if not known:
        return None
    modelled = sum(kwh for kwh, how in known if how == "modelled")
    return float(modelled / sum(kwh for kwh, _ in known))


def _gpu(runs: Sequence[Run]) -> float | None:
    if any(run["gpu_kwh"] is None or not run["num_samples"] for run in runs):
        return None
    return mean([run["gpu_kwh"] / run["num_samples"] for run in runs])


def _pace_half_width(runs: Sequence[Run], spread: Spread | None) -> float | None:
    paces = [run["s_per_sample"] for run in runs]
    if any(pace is None for pace in paces):
        return None
    return rate_over_runs(paces, [run["s_half_width"] for run in runs], spread).half_width


def _idle(runs: Sequence[Run], spread: Spread | None) -> RunsRate | None:
    """The energy of an idle machine in the time of a sample. spread: of their seconds."""
    if any(run["idle_power_w"] is None or run["s_per_sample"] is None for run in runs):
        return None
    names = ("idle_power_w", "s_per_sample", "s_half_width")
    idle = [net.idle_kwh_per_sample(*(run[name] for name in names)) for run in runs]
    return rate_over_runs([kwh for kwh, _ in idle], [width for _, width in idle], spread)


def _sensors(run: Run) -> str:
    parts = (("GPU", "gpu_sensor"), ("CPU", "cpu_sensor"), ("RAM", "ram_sensor"))
    return ", ".join(f"{name} {run[key]}" for name, key in parts if run[key])


def mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
