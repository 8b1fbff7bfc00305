"""What a report needs of a run: plain values with their units, whatever the record's schema.

A number is of the *measured window* (what the meter read) or of the *projected recipe* (the
measured rate times the full training schedule); the two are never in one field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

Component = Literal["gpu", "cpu", "ram"]
Basis = Literal["measured window", "projected recipe", "recorded", "from you"]
"""Where a value comes from: metered, projected, told by the record, told by the user."""
MEASURED: Basis = "measured window"
PROJECTED: Basis = "projected recipe"


@dataclass(frozen=True)
class Block:
    """One block of a phase, as it was read. Energies in kWh, `None` where not read; own: by this
    suite's counters, the others by CodeCarbon; use: `measured`, `warm-up` or `dropped`; attempt:
    run id of the record that measured it first, where that is an earlier one."""

    number: int
    use: str
    reason: str
    started_at_s: float
    duration_s: float
    num_steps: int
    num_samples: int
    gpu_kwh: float | None
    cpu_kwh: float | None
    ram_kwh: float | None
    own_gpu_kwh: float | None
    own_cpu_kwh: float | None
    own_ram_kwh: float | None
    data_wait_s: float | None
    attempt: str | None = None


@dataclass(frozen=True)
class PhaseFacts:
    """The measured window of one phase.

    phase: `train` or `test`; num_samples, duration_s, energies (kWh, `None` where not read): of
    the measured blocks; kwh_per_sample, s_per_sample: rates with their half-widths at
    `confidence`, `None` where there is no interval; emissions_kg_co2eq: of the window; sensors:
    component -> how it was read; quality: in %, by name; started_at: ISO 8601;
    absolute_share: error of its energy against a meter at the plugs, the sensor's gain included.
    """

    phase: Literal["train", "test"]
    num_samples: int
    duration_s: float
    energy_kwh: float | None
    gpu_kwh: float | None
    cpu_kwh: float | None
    ram_kwh: float | None
    kwh_per_sample: float | None = None
    kwh_half_width: float | None = None
    s_per_sample: float | None = None
    s_half_width: float | None = None
    confidence: float | None = None
    emissions_kg_co2eq: float | None = None
    sensors: dict[str, str] = field(default_factory=dict)
    batch_size: int | None = None
    peak_memory_mib: float | None = None
    idle_power_w: float | None = None
    quality: dict[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    started_at: str | None = None
    absolute_share: float | None = None

    @property
    def samples_text(self) -> str:
        """`88 samples`; a log does not always say how many."""
        return f"{self.num_samples} samples" if self.num_samples else "an unknown number of samples"

    @property
    def relative_half_width(self) -> float | None:
        if self.kwh_half_width is None or not self.kwh_per_sample:
            return None
        return self.kwh_half_width / self.kwh_per_sample


@dataclass(frozen=True)
class Projection:
    """The training recipe at the measured rate. kwh with its half-width (`None`: no interval);
    device_hours: of all devices; train_samples: over all its epochs; notes: what a reader must
    know, such as parts that were published and not measured."""

    kwh: float
    half_width_kwh: float | None = None
    device_hours: float | None = None
    train_samples: float | None = None
    num_epochs: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overhead:
    """Spent outside the windows: set-up, checkpoint writes, attempts that were cut off."""

    name: str
    duration_s: float
    energy_kwh: float | None


@dataclass(frozen=True)
class RunFacts:
    """One run. `None` and empty mean that the record does not say.

    sample: what one sample is (image, video); reader: what read the energy, with its version;
    scope: whose energy was read; num_devices: over all nodes; num_nodes: machines, `None` for a
    log whose files do not tell; country_iso_code: that somebody named; kg_co2eq_per_kwh: of that
    country's grid; projection_missing: why there is no projection; phase_note: that its training
    is assumed to be one; has_known_recipe: it is a row of the paper's, so that its stage tells how
    the network began; is_whole: all that ran was metered, not a window of it; attempts: earlier
    ones at this run; started_at, ended_at: ISO 8601.
    """

    run_id: str
    status: Literal["finished", "failed", "interrupted"]
    task: str
    task_title: str
    sample: str
    model: str
    network: str | None
    stage: str
    dataset: str
    precision: str
    scale: str
    started_at: str
    ended_at: str
    reader: str
    scope: Literal["machine", "process"] = "machine"
    hardware: str = ""
    gpu_name: str | None = None
    cpu_model: str | None = None
    num_devices: int = 1
    num_nodes: int | None = 1
    num_cpus: int | None = None
    memory_gib: float | None = None
    os: str | None = None
    python: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    framework: str | None = None
    params_m: float | None = None
    gmacs: float | None = None
    input_shape: tuple[int, ...] = ()
    country_iso_code: str | None = None
    kg_co2eq_per_kwh: float | None = None
    factor_source: str | None = None
    phases: tuple[PhaseFacts, ...] = ()
    projection: Projection | None = None
    projection_missing: tuple[str, ...] = ()
    overheads: tuple[Overhead, ...] = ()
    failure: str | None = None
    notes: tuple[str, ...] = ()
    phase_note: str | None = None
    has_known_recipe: bool = True
    is_whole: bool = False
    attempts: tuple[RunFacts, ...] = ()

    def phase(self, name: str) -> PhaseFacts | None:
        return next((phase for phase in self.phases if phase.phase == name), None)

    def only(self, name: str) -> RunFacts:
        """The same run with one of its phases."""
        kept = tuple(phase for phase in self.phases if phase.phase == name)
        return replace(self, phases=kept, projection=self.projection if name == "train" else None)

    @property
    def devices(self) -> str:
        """`2 x NVIDIA A100`, or the CPU's name where there is no GPU."""
        name = self.gpu_name or self.cpu_model or "unknown device"
        return f"{self.num_devices} x {name}" if self.gpu_name else name


@dataclass(frozen=True)
class Export:
    """files: name -> content; left_out: fields that neither record nor site facts say, by name,
    with what would fill them."""

    files: dict[str, str | bytes]
    left_out: tuple[str, ...] = ()


def short_ids(runs: Sequence[RunFacts]) -> dict[str, str]:
    """Each run id -> its beginning, of at least 8 letters, that no other of `runs` has."""
    ids = dict.fromkeys(run.run_id for run in runs)
    length = 8
    while len({run_id[:length] for run_id in ids}) < len(ids):
        length += 1
    return {run_id: run_id[:length] for run_id in ids}


def sensors_text(sensors: dict[str, str]) -> str:
    """`GPU counter, CPU rapl, RAM modelled`."""
    return ", ".join(f"{name.upper()} {how}" for name, how in sensors.items())


def interval_text(value: float, half_width: float | None, unit: str) -> str:
    """`1.2e-05 ± 3e-07 kWh`, or without an interval, which is then said."""
    if half_width is None:
        return f"{value:.4g} {unit} (no interval)"
    return f"{value:.4g} ± {half_width:.2g} {unit}"
