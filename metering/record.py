"""The record: everything that one run leaves behind, as types.

A record is written once, atomically, and never changed (`metering/record_file.py`);
`SCHEMA_VERSION` grows with every change of shape. `None` means absent: a sensor that did not
exist, a quantity that was not measured. Zero always means a measured zero. `docs/records.md`
lists the fields with their units.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, FiniteFloat
from pydantic.dataclasses import dataclass

from metering import setup as setups
from metering.board_state import BoardState
from metering.bounds import Count, NonNegative, Positive, Whole
from metering.error_budget import ErrorBudget
from metering.record_host import Code, Host
from metering.scheduler import Scheduler
from metering.setup import SetUp

SCHEMA_VERSION = 2
FILE_NAME = "record.json"

Component = Literal["gpu", "cpu", "ram"]
How = Literal["counter", "power", "rapl", "modelled", "absent"]
Phase = Literal["train", "test"]
Use = Literal["measured", "warm-up", "dropped"]
Status = Literal["finished", "failed", "interrupted"]
StopReason = Literal["relative_error", "time_budget", "max_blocks", "num_steps", "end_of_data"]

RunId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
_STRICT = ConfigDict(extra="forbid")


class RecordError(ValueError):
    """A file that is not a readable record of this or an older schema."""


def _utf8(text: str) -> str:
    """What is no UTF-8 in a file's name comes as lone surrogates, which no JSON file can carry."""
    return text.encode("utf-8", "backslashreplace").decode()


Words = Annotated[str, AfterValidator(_utf8)]


@dataclass(frozen=True, config=_STRICT)
class Sensor:
    """How one component's energy was read: `counter` (NVML energy counter), `power`
    (integrated power samples), `rapl`, `modelled` (TDP x load, the RAM model), `absent`."""

    how: How
    name: str = ""
    note: str = ""


@dataclass(frozen=True, config=_STRICT)
class Energy:
    """Energy of one interval by component, kWh; `None` where the component has no sensor."""

    gpu_kwh: NonNegative | None = None
    cpu_kwh: NonNegative | None = None
    ram_kwh: NonNegative | None = None

    @property
    def total_kwh(self) -> float | None:
        """Sum over the components that were read; `None` when none was."""
        parts = [kwh for kwh in (self.gpu_kwh, self.cpu_kwh, self.ram_kwh) if kwh is not None]
        return sum(parts) if parts else None


@dataclass(frozen=True, config=_STRICT)
class Reading:
    """One measured block: a number of steps between two synchronised sensor readings.

    `energy` is CodeCarbon's; `own` is this suite's reading of the same instants where a
    hardware counter exists. `use` says whether the block counts towards the rate. A task of
    CodeCarbon holds several blocks on a GPU: each has the share of its time. gap_s: how long the
    device had no work before the block; watched_kwh: the GPUs' integrated power, a second path
    from their sensors; board: their state at its end. All three `None` in older records.
    attempt: run id of the record that measured it first, where that is an earlier one.
    """

    started_at_s: FiniteFloat
    duration_s: Positive
    num_steps: Count
    num_samples: Count
    energy: Energy
    own: Energy = Energy()
    use: Use = "measured"
    reason: str = ""
    data_wait_s: NonNegative | None = None
    gap_s: NonNegative | None = None
    watched_kwh: FiniteFloat | None = None
    board: BoardState | None = None
    attempt: RunId | None = None


CONFIDENCE = 0.95
"""Of every interval that is measured, reported or compared. Records of other confidences, which
earlier versions could be asked for, are brought to it when they are loaded."""


@dataclass(frozen=True, config=_STRICT)
class Interval:
    """A mean with the half-width of its two-sided confidence interval, same unit as the mean.

    `half_width` is `None` when too few blocks were measured to give one.
    """

    mean: NonNegative
    half_width: NonNegative | None
    confidence: Annotated[FiniteFloat, Field(gt=0, lt=1)] = CONFIDENCE
    num_blocks: Count = 0
    num_effective_blocks: NonNegative | None = None

    @property
    def relative_half_width(self) -> float | None:
        if self.half_width is None or self.mean == 0:
            return None
        return self.half_width / self.mean


@dataclass(frozen=True, config=_STRICT)
class PhaseRecord:
    """What one phase cost. Rates are per sample (an image, a clip), over `measured` blocks.

    started_at: when its window opened, ISO 8601 with the offset from UTC, or without one in an
    imported log; `None` in older records.
    """

    phase: Phase
    readings: tuple[Reading, ...]
    sensors: dict[Component, Sensor]
    energy_kwh_per_sample: Interval | None
    duration_s_per_sample: Interval | None
    stop_reason: StopReason
    batch_size: Whole | None
    num_nodes: Whole | None = 1
    data_wait_share: NonNegative | None = None
    idle_power_w: NonNegative | None = None
    emissions_kg_co2eq: NonNegative | None = None
    peak_memory_mib: NonNegative | None = None
    quality: dict[str, FiniteFloat] = Field(default_factory=dict)
    views_per_sample: Whole = 1
    flags: tuple[str, ...] = ()
    error_budget: ErrorBudget | None = None
    started_at: str | None = None

    @property
    def num_samples(self) -> int:
        """Samples in the measured blocks."""
        return sum(block.num_samples for block in self.readings if block.use == "measured")


@dataclass(frozen=True, config=_STRICT)
class Stage:
    """One stage of a recipe: `num_epochs` over `num_samples` doing `workload` steps.

    A stage with `row` instead adds the whole cost of another model's recipe (a teacher,
    a backbone), `share` times. `input_size` is the side of its square images, pixels, where the
    stage has a size of its own; `None` where it is the model's.
    """

    name: str
    workload: str = "supervised"
    dataset: str = ""
    num_samples: int | None = None
    num_epochs: FiniteFloat | None = None
    row: str | None = None
    share: FiniteFloat = 1.0
    note: str = ""
    input_size: Annotated[int, Field(gt=0)] | None = None


@dataclass(frozen=True, config=_STRICT)
class ModelFacts:
    """Measured on the network as built: parameters, millions; GMACs of one forward pass of
    one sample of `input_shape` (without the batch axis)."""

    params_m: Positive | None = None
    gmacs: Positive | None = None
    input_shape: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Overhead:
    """Energy spent outside the windows, measured once each: set-up, one evaluation's fixed
    part, one checkpoint write, attempts that were cut off."""

    name: str
    duration_s: NonNegative
    energy: Energy


@dataclass(frozen=True, config=_STRICT)
class Failure:
    """Why a run has no result: exception type, message, traceback, and the rank it came from."""

    type: str
    message: Words
    traceback: Words = ""
    rank: int | None = None


@dataclass(frozen=True, config=_STRICT)
class SweepPlace:
    """Of which sweep a run was, and where it stood in it.

    position: in the order in which the runs were run, or given to SLURM, from 1. order: as they
    were given, or shuffled by `order_seed`. cooldown: what was asked before each run, seconds or
    `idle`. temperature_c: of the warmest device just before the run; `None`: no sensor tells.
    id: the same for all runs of one command, also where it was started several times; started_at:
    when it was started that time, ISO 8601 with the offset from UTC. Both `None` in older records.
    """

    position: Whole
    num_runs: Whole
    order: Literal["given", "shuffled"] = "given"
    order_seed: int | None = None
    cooldown: NonNegative | Literal["idle"] = 0.0
    temperature_c: FiniteFloat | None = None
    id: RunId | None = None
    started_at: str | None = None


@dataclass(frozen=True, config=_STRICT)
class Record:
    """One run.

    run_id: 32 hex digits, kept by copies; it alone tells a copy from a repetition.
    setup: what was asked and found. hardware: name of the profile. config: the resolved plan,
    plain JSON. repetition: 1, 2, ... of the runs that were asked for with one set-up. sweep: None
    for a run that was run by itself.
    training_id: shared by the parts of one training that was interrupted and resumed.
    started_at, ended_at: ISO 8601 with the offset from UTC. scheduler: the job that it ran in.
    """

    run_id: RunId
    status: Status
    setup: SetUp
    paper_row: str | None
    hardware: str
    started_at: str
    ended_at: str
    config: dict[str, Any]
    code: Code = Code()
    host: Host = Host()
    recipe: tuple[Stage, ...] = ()
    facts: ModelFacts = ModelFacts()
    phases: dict[Phase, PhaseRecord] = Field(default_factory=dict)
    overheads: tuple[Overhead, ...] = ()
    failure: Failure | None = None
    notes: tuple[Words, ...] = ()
    repetition: Whole = 1
    training_id: str | None = None
    scheduler: Scheduler | None = None
    sweep: SweepPlace | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def identity(self) -> str:
        """Hash of what was asked; equal for repetitions."""
        return setups.identity(self.setup.asked)

    @property
    def task(self) -> str:
        return self.setup.asked.task

    @property
    def model(self) -> str:
        """Short name of the network."""
        return self.setup.asked.model

    @property
    def data(self) -> str:
        """Name of the data set."""
        return self.setup.asked.data.name

    @property
    def batch_size(self) -> int | None:
        """Samples of a step, over all devices."""
        return self.setup.asked.batch_size

    @property
    def precision(self) -> str:
        return self.setup.asked.precision

    @property
    def stage(self) -> str:
        return self.setup.asked.stage
