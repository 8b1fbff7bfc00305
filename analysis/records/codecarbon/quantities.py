"""What one line of CodeCarbon's says was used: energies without the PUE, absent parts as None.

CodeCarbon multiplies power, energy and emissions by `pue`
(`BaseEmissionsTracker._do_measurements`); rates here are of the machine, so it is divided out.
It writes 0.0 for what it did not read, so a zero is no measured zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analysis.records.codecarbon.energy_faults import GPU_NOT_READ, NO_PUE
from analysis.records.codecarbon.hardware import gpus_of, power_flags
from analysis.records.codecarbon.parse import Line
from analysis.records.emission_factor import is_possible
from metering.bounds import MOST
from metering.json_values import shown
from metering.record import RecordError

LEAST_RUN_KWH = 1e-12
"""Least energy of a run, kWh: 3.6 microjoules, under one step of RAPL's usual counter
(15.3 or 61 microjoules) and of NVML's (1 millijoule)."""
LEAST_PUE, MOST_PUE = 1.0, 10.0
MOST_OF_MACHINE = 1e6
"""GiB of memory, and processors."""
_PLACES = ("country_iso_code", "country_name", "cloud_region")
SUM_TOLERANCE = 0.01
"""Parts that differ by more from the total are said to."""


@dataclass(frozen=True)
class Logged:
    """Of one run, or of one of its tasks.

    ended_at: as the line says; start_s, end_s: on the machine's clock, `None` where the time
    stamp cannot be read; energies in kWh and emissions in kg CO2eq without the PUE, `None` where
    a part was not read; num_gpus: that were listed, 0 for none; num_machines: one a tracker,
    `None` where several trackers' files do not tell; scope: of `tracking_mode`;
    version: CodeCarbon's, empty where it is not said; memory_gib, num_cpus, os, python: of the
    machine, as the log has them; has_rate: a rate may be made of it; flags:
    what a reader must know.
    """

    run_id: str
    task_name: str
    ended_at: str
    start_s: float | None
    end_s: float | None
    duration_s: float
    energy_kwh: float
    gpu_kwh: float | None
    cpu_kwh: float | None
    ram_kwh: float | None
    emissions_kg_co2eq: float | None
    pue: float
    gpu_name: str | None
    num_gpus: int
    cpu_model: str | None
    scope: Literal["machine", "process"]
    version: str
    project_name: str
    country_iso_code: str | None = None
    num_machines: int | None = 1
    memory_gib: float | None = None
    num_cpus: int | None = None
    os: str | None = None
    python: str | None = None
    has_rate: bool = True
    flags: tuple[str, ...] = ()

    @property
    def has_parts(self) -> bool:
        return any(part is not None for part in (self.gpu_kwh, self.cpu_kwh, self.ram_kwh))


def logged(line: Line, pue: float | None = None) -> Logged:
    """What `line` says; pue: of its run where the line has none. Raises `RecordError`."""
    total_kwh = line.number_of("energy_consumed", least=LEAST_RUN_KWH)
    if total_kwh is None:
        raise RecordError("energy_consumed: it is empty")
    duration_s = line.number_of("duration")
    if not duration_s:
        raise RecordError("duration: it is empty or 0")
    factor, flags, is_pue = _pue(line, pue)
    gpu_name, num_gpus, of_gpus = gpus_of(line)
    parts, has_rate, notes = _parts(line, total_kwh, num_gpus)
    gpu_kwh, cpu_kwh, ram_kwh = (None if part is None else part / factor for part in parts)
    machine = _mode(line) == "machine"
    energies = (total_kwh / factor, gpu_kwh)
    of_power, is_possible_power = power_flags(energies, duration_s, num_gpus, machine)
    emissions_kg, of_emissions = _emissions(line, total_kwh)
    ended = moment(line.text("timestamp"))
    return Logged(
        run_id=line.text("run_id") or line.text("experiment_id"),
        task_name=line.text("task_name"),
        ended_at=line.text("timestamp"),
        start_s=None if ended is None else ended - duration_s,
        end_s=ended,
        duration_s=duration_s,
        energy_kwh=total_kwh / factor,
        gpu_kwh=gpu_kwh,
        cpu_kwh=cpu_kwh,
        ram_kwh=ram_kwh,
        emissions_kg_co2eq=None if emissions_kg is None else emissions_kg / factor,
        pue=factor,
        gpu_name=gpu_name,
        num_gpus=num_gpus,
        cpu_model=line.text("cpu_model") or None,
        scope="machine" if machine else "process",
        version=line.text("codecarbon_version").replace(",", "."),
        project_name=line.text("project_name"),
        country_iso_code=line.text("country_iso_code") or None,
        memory_gib=_known(line, "ram_total_size"),
        num_cpus=None if (number := _known(line, "cpu_count")) is None else round(number),
        os=line.text("os") or None,
        python=line.text("python_version") or None,
        has_rate=has_rate and is_possible_power and is_pue,
        flags=(*flags, *notes, *of_gpus, *of_power, *of_emissions, *_of_time(line, ended)),
    )


def moment(stamp: str) -> float | None:
    """Seconds of a time stamp, on its own machine's clock where it has no zone (CodeCarbon writes
    local time without one); None where it cannot be read."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def has_zone(stamp: str) -> bool:
    """Whether a time stamp names its zone, and so may be of another clock than its machine's."""
    try:
        return datetime.fromisoformat(stamp).tzinfo is not None
    except ValueError:
        return False


def _known(line: Line, name: str) -> float | None:
    """A number above 0 that a machine may have; None for anything else, which costs no run its
    energy."""
    try:
        number = line.number_of(name) or None
    except RecordError:
        return None
    return None if number is None or number > MOST_OF_MACHINE else number


def _mode(line: Line) -> str:
    """Raises `RecordError` for what CodeCarbon never writes there: values of other columns."""
    mode = line.text("tracking_mode").lower() or "machine"
    if mode not in ("machine", "process"):
        raise RecordError(
            f"tracking_mode: {shown(mode)} is neither machine nor process, so its values are not "
            "under their columns"
        )
    return mode


def _of_time(line: Line, ended: float | None) -> list[str]:
    timestamp = line.text("timestamp")
    return [] if ended is not None else [f"timestamp {shown(timestamp)} is no ISO 8601 time"]


def _pue(line: Line, of_run: float | None) -> tuple[float, list[str], bool]:
    """The factor to divide by, what to know of it, and whether it can be one; a cell that is
    empty, and a version without PUE, multiply by 1."""
    pue = line.number_of("pue")
    pue = of_run if pue is None else pue
    if pue is None or pue == 1:
        return 1.0, [], True
    if not LEAST_PUE <= pue <= MOST_PUE:
        return 1.0, [f"pue {pue:g} {NO_PUE}"], False
    return pue, [f"pue {pue:g} is divided out"], True


def _emissions(line: Line, total_kwh: float) -> tuple[float | None, list[str]]:
    """kg CO2eq, both with the PUE; None where no supply of electricity can have the factor that
    they give, and 0 is what an unknown country gives."""
    kg_text = line.text("emissions")
    country = next(filter(None, map(line.text, _PLACES)), "")
    try:
        kg = line.number_of("emissions", least=-MOST)
    except RecordError as error:
        return None, [f"{error}: its emissions are left out"]
    if kg is None or (kg == 0 and not country):
        return None, []
    if not country:
        return None, ["its emissions are of no country that it names: they are left out"]
    if kg == 0:
        return None, [f"its emissions are 0 in {country}: none were computed, so they are left out"]
    if is_possible(kg / total_kwh):
        return kg, []
    grams = 1000 * kg / total_kwh
    return None, [
        f"emissions of {kg_text} kg are {grams:.4g} g per kWh, which no supply has (0.5 to 1,500): "
        "they are left out"
    ]


Parts = tuple[float | None, float | None, float | None]


def _parts(line: Line, total_kwh: float, num_gpus: int) -> tuple[Parts, bool, list[str]]:
    """GPU, CPU and RAM energy, kWh; whether the total holds what computed; what to know."""
    flags: list[str] = []
    gpu, cpu, ram = (line.number_of(f"{name}_energy") for name in ("gpu", "cpu", "ram"))
    has_rate = True
    others_kwh = (cpu or 0.0) + (ram or 0.0)
    if num_gpus and "gpu_energy" in line.cells and not gpu:
        # a column that is empty beside a total that is larger than the rest: the GPU was read
        has_rate = gpu is None and total_kwh > others_kwh * (1 + SUM_TOLERANCE) > 0
        if not has_rate:
            flags.append(GPU_NOT_READ)
    for name, kwh in (("CPU", cpu), ("RAM", ram)):
        if kwh == 0:
            flags.append(f"the {name}'s energy is 0: it was not read")
    known = [part for part in (gpu, cpu, ram) if part]
    if not known and not flags:
        flags.append("the log has a total alone: whether a GPU was read is not known")
    if len(known) > 1 and abs(sum(known) - total_kwh) > SUM_TOLERANCE * total_kwh:
        flags.append(
            f"its gpu, cpu and ram energy add up to {sum(known):.4g} kWh, energy_consumed is "
            f"{total_kwh:.4g}"
        )
    return (gpu or None, cpu or None, ram or None), has_rate, flags
