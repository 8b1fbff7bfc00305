"""The set-up of a run: what makes two runs the same, in two typed parts.

*Asked* is known before anything runs; its hash is the run's identity and names its folder.
*Found* is known only on the machine that ran. What only interprets a number (recipe, row of the
paper, wall factor, country, tolerances) is in neither: correcting it measures nothing again.

Every rule about runs that are alike is here and nowhere else:

    measured already   identity(asked) equal, and `found` matches this machine
    merge              `merge_key`: asked and found equal (but for the repetition)
    row of a table     `row_key`: equal but for the stage and what the stage determines
    models compared    `comparison_key`: equal but for the network and its recipe
    line of a study    `study_key`: equal but for the study's axis
    spread of runs     `hardware_key`: read in one way on one kind of machine
    borrowed cost      `lender_key`: alike in hardware, precision, kind of data and size
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, FiniteFloat
from pydantic.dataclasses import dataclass

from metering.bounds import Count, Whole

_STRICT = ConfigDict(extra="forbid")
Origin = Literal["real", "embedded", "own", "unknown"]
"""real: a public set under its own name; embedded: files written by this suite in its place;
own: a set of the user's."""


@dataclass(frozen=True, config=_STRICT)
class DataSetUp:
    """The data of a run.

    name: of the set; origin: see `Origin`; fraction: share of the training set that is used;
    num_classes; num_train, num_test: number of samples; for a set of the user's own class_digest:
    of the list of classes in order, and content_digest: of some of its samples; options: what else
    changes a sample (size, layout, frames, number of embedded files), plain JSON.
    """

    name: str
    origin: Origin = "unknown"
    fraction: Annotated[FiniteFloat, Field(gt=0, le=1)] = 1.0
    num_classes: Whole | None = None
    num_train: Count | None = None
    num_test: Count | None = None
    class_digest: str | None = None
    content_digest: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class Asked:
    """What a user asks for; `None` where it is not known (a log of other software).

    model: short name; network: timm's name, the OpenMMLab config's, or `package.module:callable`;
    network_options: passed on to its builder; source_digest: of the file that the user's network
    or config comes from; input_size: pixels (height, width), `None` where the source decides;
    training: the training set-up by its content; protocol: what is measured (mode, and numbers of
    steps where they are fixed), not how narrow an interval is wanted; device: the GPU that the
    hardware profile names, `None` for whatever there is; num_devices: over all nodes;
    power_limit_w: to be set on each board for the run, `None` for the limit that it has;
    has_nodes_alone: a run on GPUs asks SLURM for whole nodes, so that CPU and memory are metered
    too (a run on CPUs always does).
    """

    task: str
    model: str
    network: str | None = None
    network_options: dict[str, Any] = Field(default_factory=dict)
    source_digest: str | None = None
    input_size: tuple[Whole, ...] | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    stage: str = "supervised"
    data: DataSetUp = DataSetUp("unknown")
    batch_size: Whole | None = None
    precision: str = "fp32"
    channels_last: bool | None = True
    compile: bool = False
    accelerator: str = "auto"
    device: str | None = None
    num_devices: Whole | None = None
    num_nodes: Whole | None = 1
    num_threads: Whole | None = None
    num_workers: Count | None = None
    power_limit_w: FiniteFloat | None = None
    checkpoint_digest: str | None = None
    scale: str = "full"
    protocol: dict[str, Any] = Field(default_factory=dict)
    has_nodes_alone: bool = False


@dataclass(frozen=True, config=_STRICT)
class Found:
    """What computed, and how it was read; compared when runs are merged.

    device: name of the GPU that was metered, `None` for a run on the CPU; power_limit_w: in force
    per GPU; num_cpus: that the process could keep busy (affinity, quota, OMP_NUM_THREADS);
    versions: of what computes (torch, cuda, cudnn, timm, mm*); network_fingerprint: of the network
    as it was built; step_version: of the task's own step; sensors: component -> how it was read
    (`counter`, `power`, `rapl`, `modelled`, `absent`); scope: whose energy was read, the machine's
    or the process's; reader: what read it.
    """

    device: str | None = None
    num_devices: Whole | None = None
    power_limit_w: FiniteFloat | None = None
    mig_profile: str | None = None
    cpu_model: str | None = None
    num_cpus: Whole | None = None
    num_nodes: Whole | None = 1
    versions: dict[str, str] = Field(default_factory=dict)
    network_fingerprint: str | None = None
    step_version: int | None = None
    sensors: dict[str, str] = Field(default_factory=dict)
    scope: Literal["machine", "process"] = "machine"
    reader: str = "watt-for-what"


@dataclass(frozen=True, config=_STRICT)
class SetUp:
    """A run's set-up: `found` is `None` where nothing ran."""

    asked: Asked
    found: Found | None = None


STAGE_FIELDS = (
    "stage",
    "input_size",
    "network_fingerprint",
    "training",
    "step_version",
    "data.num_classes",
    "checkpoint_digest",
)
"""A stage determines these: a fine-tuning stage may have a size and a training set-up of its own, a
pre-training one a decoder, or the head of a larger set. `row_key` takes the size as a word instead:
the recipe's, or the user's own."""
NETWORK_FIELDS = (
    "model",
    "network",
    "network_options",
    "source_digest",
    "training",
    "network_fingerprint",
    "checkpoint_digest",
)
"""What a network and its recipe determine. Its input size is not among them: whoever compares
models says whether each ran at its own."""

MACHINE_FIELDS = (
    "device",
    "num_devices",
    "power_limit_w",
    "mig_profile",
    "cpu_model",
    "num_cpus",
    "num_nodes",
)
"""What of a machine computed, as `Found` names it."""
HARDWARE_FIELDS = (
    *MACHINE_FIELDS,
    "sensors",
    "scope",
    "reader",
    "scale",
)
LENDER_FIELDS = (
    *HARDWARE_FIELDS,
    "precision",
    "channels_last",
    "compile",
    "num_threads",
    "data.origin",
    "data.fraction",
)


def identity(asked: Asked) -> str:
    """16 hex digits over everything that was asked; a field with its default is left out, so that
    a field added later changes no identity."""
    fields = _changed(asked)
    return _digest(fields | {"data": _changed(asked.data)})


def merge_key(setup: SetUp) -> str:
    """Runs with the same key are repetitions of one measurement."""
    return _digest(_flat(setup))


def row_key(setup: SetUp, at_recipe_size: bool) -> str:
    """Runs with the same key are stages and phases of one row of a table. at_recipe_size: the
    run's input size is the one that the recipe has for its stage; a stage's own size is then no
    difference, while a size of the user's choice is."""
    fields = _flat(setup)
    size = "recipe" if at_recipe_size else fields["input_size"]
    return _digest(_without(fields, STAGE_FIELDS) | {"input_size": size})


def comparison_key(setup: SetUp, at_recipe_size: bool) -> str:
    """Models whose runs have the same key may be compared, and ranked: equal but for the network
    and its recipe, of which the stages are part."""
    fields = _flat(setup)
    size = "recipe" if at_recipe_size else fields["input_size"]
    return _digest(_without(fields, (*NETWORK_FIELDS, *STAGE_FIELDS)) | {"input_size": size})


def hardware_key(setup: SetUp) -> str:
    """Runs with the same key were read in one way on one kind of machine: what differs between
    repetitions of one of them is taken for what differs between repetitions of another."""
    fields = _flat(setup)
    return _digest({name: fields.get(name) for name in HARDWARE_FIELDS})


def lender_key(setup: SetUp, at_recipe_size: bool) -> str:
    """A whole recipe measured with this set-up may price a part (a teacher, a backbone) of one
    with the same key: alike in hardware, precision, layout, kind of data and size, whatever the
    network, the task, its classes and the batch."""
    fields = _flat(setup)
    size = "recipe" if at_recipe_size else fields["input_size"]
    return _digest({name: fields.get(name) for name in LENDER_FIELDS} | {"input_size": size})


def study_key(setup: SetUp, axis: Collection[str]) -> str:
    """Runs with the same key are points of one line. axis: names of fields of `Asked`, `Found`
    or, as `data.NAME`, of `DataSetUp`, that the study changes and what these determine."""
    return _digest(_without(_flat(setup), axis))


def _changed(part: Asked | DataSetUp) -> dict[str, Any]:
    """The fields of `part` that are not their default."""
    defaults = _DEFAULTS[type(part)]
    return {name: value for name, value in _fields(part).items() if value != defaults[name]}


def _fields(part: Asked | DataSetUp | Found) -> dict[str, Any]:
    return {entry.name: getattr(part, entry.name) for entry in dataclasses.fields(part)}


_DEFAULTS: dict[type, dict[str, Any]] = {
    Asked: _fields(Asked(task="", model="")),
    DataSetUp: _fields(DataSetUp(name="")),
}
"""Of a field without a default "", which is never asked for."""


def _flat(setup: SetUp) -> dict[str, Any]:
    asked = _fields(setup.asked)
    del asked["has_nodes_alone"]  # what came of it is found: `sensors`
    data = {f"data.{name}": value for name, value in _fields(asked.pop("data")).items()}
    if setup.found is None:
        return asked | data
    # of both parts the machine's word counts: `auto` is asked, one GPU is found, or none
    del asked["accelerator"], asked["device"]
    machine = {name: value for name, value in _fields(setup.found).items() if value is not None}
    return asked | data | machine


def _without(fields: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
