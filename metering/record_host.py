"""The part of a record that says which code ran on which machine: kept, not compared."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, FiniteFloat
from pydantic.dataclasses import dataclass

from metering.bounds import Count, NonNegative

_STRICT = ConfigDict(extra="forbid")
OLD_DEFAULT = ("GBR", "CodeCarbon, global_energy_mix.json")


@dataclass(frozen=True, config=_STRICT)
class Code:
    """Which code made the record; git's part is `None` where there is no git. digest: of the
    copy of the code that a batch job ran, 16 hex digits."""

    version: str | None = None
    git_commit: str | None = None
    dirty: bool | None = None
    digest: str | None = None


@dataclass(frozen=True, config=_STRICT)
class MeteredGpu:
    """A board whose energy was read. index: in bus order; board_power_w: its default limit;
    mig: it is split into instances, of which the job had one and the readings all; whole_module:
    its counter covers CPU and memory of its module too."""

    name: str
    uuid: str | None = None
    index: int | None = None
    energy_counter: bool | None = None
    board_power_w: FiniteFloat | None = None
    mig: bool = False
    whole_module: bool = False


@dataclass(frozen=True, config=_STRICT)
class GpuState:
    """A board of the machine at the end of the run; `None`: it does not tell. throttle_reasons:
    NVML's bit mask."""

    name: str
    index: int | None = None
    uuid: str | None = None
    driver: str | None = None
    power_limit_w: FiniteFloat | None = None
    sm_clock_mhz: FiniteFloat | None = None
    memory_clock_mhz: FiniteFloat | None = None
    temperature_c: FiniteFloat | None = None
    throttle_reasons: int | None = None


@dataclass(frozen=True, config=_STRICT)
class EmissionFactor:
    """Of the country that the run names, and where it comes from. is_said: whether a person, or
    the log that was imported, names the country; `None` in older records, which had
    `OLD_DEFAULT` where nobody did."""

    country_iso_code: str
    kg_co2eq_per_kwh: FiniteFloat | None = None
    year: int | None = None
    source: str = ""
    is_said: bool | None = None

    @property
    def country_is_said(self) -> bool:
        """Whether the country is known to be the machine's."""
        if self.is_said is None:
            return (self.country_iso_code, self.source) != OLD_DEFAULT
        return self.is_said


@dataclass(frozen=True, config=_STRICT)
class Host:
    """Facts of rank 0's machine that are kept and not compared; what is compared is in
    `metering.setup.Found`. gpus: all boards that were metered, on every node; gpu_states: all of
    this machine; sensor_period_s: how often the boards' counters move; sensor_latency_s: how long
    reading them takes; codecarbon_task_s: what beginning and ending a task of CodeCarbon takes;
    codecarbon: how CodeCarbon itself read each component; clock_skew_s: between the nodes' clocks;
    more: facts without a field here; emissions: `None` where nobody named the country."""

    hostname: str | None = None
    os: str | None = None
    python: str | None = None
    num_cpus: Count | None = None
    memory_gib: NonNegative | None = None
    packages: dict[str, str] = Field(default_factory=dict)
    gpus: tuple[MeteredGpu, ...] = ()
    gpu_states: tuple[GpuState, ...] = ()
    sensor_period_s: NonNegative | None = None
    sensor_latency_s: NonNegative | None = None
    codecarbon_task_s: NonNegative | None = None
    codecarbon: dict[str, str] = Field(default_factory=dict)
    clock_skew_s: NonNegative | None = None
    emissions: EmissionFactor | None = None
    more: dict[str, Any] = Field(default_factory=dict)
