"""The record: everything that one run leaves behind, as one JSON file.

A record is written once, atomically, and never changed; `SCHEMA_VERSION` grows with
every change of shape. `None` means absent: a sensor that did not exist, a quantity that
was not measured. Zero always means a measured zero.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

SCHEMA_VERSION = 1
FILE_NAME = "record.json"

Component = Literal["gpu", "cpu", "ram"]
How = Literal["counter", "power", "rapl", "modelled", "absent"]
Phase = Literal["train", "test"]
Status = Literal["finished", "failed", "interrupted"]
StopReason = Literal["relative_error", "time_budget", "max_blocks", "num_steps", "end_of_data"]

NonNegative = Annotated[FiniteFloat, Field(ge=0)]
Positive = Annotated[FiniteFloat, Field(gt=0)]
_STRICT = ConfigDict(extra="forbid")


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
    hardware counter exists. `use` says whether the block counts towards the rate.
    """

    started_at_s: FiniteFloat
    duration_s: Positive
    num_steps: int
    num_samples: int
    energy: Energy
    own: Energy = Energy()
    use: Literal["measured", "warm-up", "dropped"] = "measured"
    reason: str = ""
    data_wait_s: NonNegative | None = None


@dataclass(frozen=True, config=_STRICT)
class Interval:
    """A mean with the half-width of its two-sided confidence interval, same unit as the mean.

    `half_width` is `None` when too few blocks were measured to give one.
    """

    mean: NonNegative
    half_width: NonNegative | None
    confidence: FiniteFloat = 0.95
    num_blocks: int = 0
    num_effective_blocks: FiniteFloat | None = None

    @property
    def relative_half_width(self) -> float | None:
        if self.half_width is None or self.mean == 0:
            return None
        return self.half_width / self.mean


@dataclass(frozen=True, config=_STRICT)
class PhaseRecord:
    """What one phase cost. Rates are per sample (an image, a clip), over `measured` blocks."""

    phase: Phase
    readings: tuple[Reading, ...]
    sensors: dict[Component, Sensor]
    energy_kwh_per_sample: Interval | None
    duration_s_per_sample: Interval | None
    stop_reason: StopReason
    batch_size: int
    num_nodes: int = 1
    data_wait_share: FiniteFloat | None = None
    idle_power_w: NonNegative | None = None
    emissions_kg_co2eq: NonNegative | None = None
    peak_memory_mib: NonNegative | None = None
    quality: dict[str, FiniteFloat] = Field(default_factory=dict)
    views_per_sample: int = 1
    flags: tuple[str, ...] = ()

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
class Record:
    """One run. `config` is the resolved plan, `host` the machine's facts (both plain JSON)."""

    status: Status
    identity: str
    task: str
    model: str
    paper_row: str | None
    data: str
    hardware: str
    batch_size: int
    precision: str
    stage: str
    started_at: str
    ended_at: str
    config: dict[str, Any]
    code: dict[str, Any]
    host: dict[str, Any]
    recipe: tuple[Stage, ...] = ()
    facts: ModelFacts = ModelFacts()
    phases: dict[Phase, PhaseRecord] = Field(default_factory=dict)
    overheads: tuple[Overhead, ...] = ()
    failure: Failure | None = None
    notes: tuple[Words, ...] = ()
    schema_version: int = SCHEMA_VERSION


_ADAPTER = TypeAdapter(Record)


class RecordError(ValueError):
    """A file that is not a readable record of this or an older schema."""


def to_json(record: Record) -> str:
    return _ADAPTER.dump_json(record, indent=1).decode()


def from_json(text: str | bytes) -> Record:
    """Parse a record. Raises `RecordError` with one line that names what is wrong."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not JSON: {error}") from None
    schema_version_of(data)
    try:
        return _ADAPTER.validate_python(data)
    except ValueError as error:
        raise RecordError(_first_line_of(error)) from None


def schema_version_of(data: Any) -> int:
    """The version that parsed JSON says it has. Raises `RecordError` where it is no record's, or
    newer than `SCHEMA_VERSION`."""
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise RecordError("not a record: it has no integer schema_version")
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"schema_version {version} is newer than {SCHEMA_VERSION}, the newest this "
            "version reads; update the suite"
        )
    return version


def _first_line_of(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0]
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"{key}: {first['msg']}"


def read(path: Path) -> Record:
    """Read `path`. Raises `RecordError` or `OSError`."""
    return from_json(path.read_bytes())


def write(record: Record, folder: Path) -> Path:
    """Write `record` as `folder/record.json`: whole or not at all, durable when it returns."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / FILE_NAME
    descriptor, name = tempfile.mkstemp(prefix=".record-", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(to_json(record))
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def with_notes(record: Record, *notes: str) -> Record:
    """The same record with `notes` appended."""
    return replace(record, notes=(*record.notes, *notes))
