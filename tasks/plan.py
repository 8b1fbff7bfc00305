"""The plan: one run as frozen values. The only module that reads a DictConfig."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from metering.emissions import countries
from metering.settings import MeterSettings
from tasks.config.checks import choice, flag, positive, positive_whole, wall_meter, whole
from tasks.config.digests import digest
from tasks.config.stages import SUPERVISED, resolve
from tasks.errors import PlanError, unknown

T = TypeVar("T")
TASKS = ("classification", "segmentation", "action_recognition")
IMAGENET_IMAGES = 1_281_167  # ImageNet-1k's training set
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


@dataclass(frozen=True)
class ModelPlan:
    """A model as a row of the paper or of the user's choice.

    name: short name; source: the timm name, or the OpenMMLab config's name or path;
    input_size: pixels of a square input, or None where the source decides;
    training: the named training set-up (`classification/training.py`), None where the source
    decides;
    recipe: stages as `metering.record.Stage` reads them; options: passed on to the builder;
    digests: of the files that the user gave, `checkpoint` and `source`.
    """

    name: str
    task: str
    source: str
    paper_row: str | None = None
    input_size: int | None = None
    training: str | None = None
    recipe: tuple[dict[str, Any], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint: str | None = None
    digests: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DataPlan:
    """name: the config's name; root: where real data lie, None for embedded data;
    options: what only this kind of data has (number of classes, image size, ...)."""

    name: str
    root: str | None = None
    fraction: float = 1.0
    cache_dir: str = ""
    num_workers: int | None = None
    on_error: str = "fail"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HardwarePlan:
    """gpu: the name that the driver prints, None for a machine as it is (`local`);
    devices: how many processes compute, one per GPU; num_threads: of PyTorch on the CPU,
    None for as many as the machine has cores; slurm: resources for a job."""

    name: str
    gpu: str | None = None
    devices: int = 1
    nodes: int = 1
    accelerator: str = "auto"
    num_threads: int | None = None
    memory_gib: float | None = None
    board_power_w: float | None = None
    country_iso_code: str = "GBR"
    wall_meter: dict[str, Any] = field(default_factory=dict)
    slurm: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """One run. `identity` names what changes its result; the rest is manners."""

    task: str
    model: ModelPlan
    data: DataPlan
    hardware: HardwarePlan
    meter: MeterSettings
    batch_size: int
    phases: tuple[str, ...] = ("train", "test")
    stage: str = SUPERVISED
    scale: str = "full"
    precision: str = "fp32"
    channels_last: bool = True
    compile: bool = False
    checkpoint_write: bool = True
    seed: int = 0
    output_dir: Path = Path("runs")
    force: bool = False
    dry_run: bool = False

    @property
    def identity(self) -> str:
        """16 hex digits over everything that changes the result."""
        content = dataclasses.asdict(self)
        for manner in ("output_dir", "force", "dry_run"):
            del content[manner]
        del content["hardware"]["slurm"]
        for manner in ("cache_dir",):
            del content["data"][manner]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        parts = (self.task, self.model.name, self.hardware.name, self.identity)
        return self.output_dir.joinpath(*parts)


def from_config(config: DictConfig) -> Plan:
    """Validate `config` and make the plan. Raises `PlanError` naming key, value and cure."""
    try:
        values: dict[str, Any] = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        raise PlanError(str(error).splitlines()[0]) from None
    task = values["task"]["name"]
    model = _model(values["model"] | {"checkpoint": values["checkpoint"]}, task)
    batch_size = positive_whole("batch_size", values["batch_size"])
    # other tasks have no stage but the recipe's last: their backbones are rows of their own
    recipe = model.recipe if task == "classification" else ()
    stage = resolve(str(values["stage"]), recipe, model.name)
    data = _data(values["data"], task)
    plan = Plan(
        task=task,
        model=model,
        data=data,
        hardware=_hardware(values["hardware"]),
        meter=_meter(values["meter"], values["task"]["paper_samples"], batch_size, data),
        batch_size=batch_size,
        phases=_phases(values["phases"], stage),
        stage=stage,
        scale=str(values["scale"]),
        precision=choice("precision", values["precision"], PRECISIONS),
        channels_last=flag("channels_last", values["channels_last"]),
        compile=flag("compile", values["compile"]),
        checkpoint_write=flag("checkpoint_write", values["checkpoint_write"]),
        seed=whole("seed", values["seed"], least=0),
        output_dir=Path(values["output_dir"]).expanduser().absolute(),
        force=flag("force", values["force"]),
        dry_run=flag("dry_run", values["dry_run"]),
    )
    ranks = plan.hardware.devices * plan.hardware.nodes
    if plan.batch_size % ranks:
        raise PlanError(
            f"batch_size={plan.batch_size} is the total over {ranks} ranks and does not "
            f"divide by {ranks}; choose a multiple"
        )
    return plan


def _model(values: dict[str, Any], task: str) -> ModelPlan:
    if "config" in values:  # model=mmseg model.config=...: any config is a model named after it
        if values["config"] is None:
            raise PlanError(
                f"model={values['name']} needs model.config=NAME, a config of that library"
            )
        values["source"] = str(values.pop("config"))
        values["name"] = Path(values["source"]).stem
    plan = _build(ModelPlan, "model", values | {"recipe": tuple(values.get("recipe") or ())})
    if plan.task != task:
        raise PlanError(
            f"model={plan.name} belongs to task={plan.task}, not task={task}; "
            f"leave task= out or write task={plan.task}"
        )
    if plan.input_size is not None:
        positive_whole("model.input_size", plan.input_size)
    if plan.checkpoint is not None and not Path(plan.checkpoint).expanduser().is_file():
        raise PlanError(f"checkpoint={plan.checkpoint} is not a file; give an existing one")
    source = plan.source if plan.source.endswith(".py") else None
    given = {"checkpoint": plan.checkpoint, "source": source}
    paths = {key: Path(value).expanduser() for key, value in given.items() if value is not None}
    digests = {key: digest(path) for key, path in paths.items() if path.is_file()}
    checkpoint = str(paths["checkpoint"]) if "checkpoint" in paths else None
    return dataclasses.replace(plan, checkpoint=checkpoint, digests=digests)


def _data(values: dict[str, Any], task: str) -> DataPlan:
    tasks = values.pop("tasks")
    if task not in tasks:
        raise PlanError(
            f"data={values['name']} belongs to task={' or '.join(tasks)}, not task={task}; "
            "choose other data or another model"
        )
    needs_root = values.pop("needs_root", False)
    plan = _build(DataPlan, "data", values)
    if plan.root is not None and not Path(plan.root).expanduser().is_dir():
        raise PlanError(
            f"data.root={plan.root} is not a folder; give the folder that holds the set"
        )
    if needs_root and plan.root is None:
        raise PlanError(f"data={plan.name} needs data.root=FOLDER, the folder that holds the set")
    if not isinstance(plan.fraction, int | float) or not 0 < plan.fraction <= 1:
        raise PlanError(f"data.fraction={plan.fraction} is not in (0, 1]; 0.1 is a tenth")
    if plan.num_workers is not None:
        whole("data.num_workers", plan.num_workers, least=0)
    choice("data.on_error", plan.on_error, ("fail", "skip"))
    cache = plan.cache_dir or os.environ.get("XDG_CACHE_HOME", "~/.cache") + "/watt-for-what"
    return dataclasses.replace(plan, cache_dir=str(Path(cache).expanduser()))


def _hardware(values: dict[str, Any]) -> HardwarePlan:
    plan = _build(HardwarePlan, "hardware", values)
    positive_whole("hardware.devices", plan.devices)
    positive_whole("hardware.nodes", plan.nodes)
    if plan.num_threads is not None:
        positive_whole("hardware.num_threads", plan.num_threads)
    choice("hardware.accelerator", plan.accelerator, ("auto", "cpu", "cuda"))
    if (code := str(plan.country_iso_code)) not in countries():
        raise PlanError(
            f"hardware.country_iso_code={code} has no emission factor in CodeCarbon's table; "
            "give three capital letters (ISO 3166), such as GBR"
        )
    given = {name: value for name, value in plan.wall_meter.items() if value is not None}
    if given:
        wall_meter(given)
    return dataclasses.replace(plan, wall_meter=given)


def _meter(
    values: dict[str, Any], paper_samples: int, batch_size: int, data: DataPlan
) -> MeterSettings:
    num_epochs = values.pop("num_epochs", None)
    plan = _build(MeterSettings, "meter", values)
    if num_epochs is not None:
        plan = dataclasses.replace(plan, num_steps=_steps(num_epochs, plan, data, batch_size))
    if plan.mode == "paper" and plan.num_steps is None:
        plan = dataclasses.replace(plan, num_steps=math.ceil(paper_samples / batch_size))
    choice("meter.mode", plan.mode, ("adaptive", "fixed", "paper"))
    for key in ("relative_error", "time_budget_s", "block_s"):
        positive(f"meter.{key}", getattr(plan, key))
    if not 0 < plan.confidence < 1:
        raise PlanError(f"meter.confidence={plan.confidence} is not between 0 and 1; 0.95 is usual")
    whole("meter.min_blocks", plan.min_blocks, least=2)
    if whole("meter.max_blocks", plan.max_blocks, least=2) < plan.min_blocks:
        raise PlanError(
            f"meter.max_blocks={plan.max_blocks} is under "
            f"meter.min_blocks={plan.min_blocks}; raise it"
        )
    if plan.mode != "adaptive":
        positive_whole("meter.num_steps", plan.num_steps)
    return plan


def _steps(num_epochs: Any, meter: MeterSettings, data: DataPlan, batch_size: int) -> int:
    """Steps that see the run's share of the training data `num_epochs` times."""
    size = IMAGENET_IMAGES if data.name == "imagenet" else data.options.get("train_samples")
    if meter.mode != "fixed" or meter.num_steps is not None or not isinstance(size, int):
        raise PlanError(
            f"meter.num_epochs={num_epochs} needs meter=fixed, meter.num_steps=null and data whose "
            "number of training images is known (synthetic, imagenet); give meter.num_steps instead"
        )
    num_samples = max(1, round(size * data.fraction))
    return math.ceil(positive("meter.num_epochs", num_epochs) * num_samples / batch_size)


def _build(kind: type[T], key: str, values: dict[str, Any]) -> T:
    known = {entry.name for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise unknown(f"key {key}", name, known, f"known keys: {', '.join(sorted(known))}")
    return kind(**values)


def _phases(value: Any, stage: str) -> tuple[str, ...]:
    """Testing is the same whatever came before: a stage of its own has only a train phase."""
    phases = (value,) if isinstance(value, str) else tuple(value)
    for phase in phases:
        choice("phases", phase, ("train", "test"))
    if not phases:
        raise PlanError("phases=[] leaves nothing to measure; use [train,test]")
    if stage != SUPERVISED:
        if "train" not in phases:
            raise PlanError(f"stage={stage} has no test phase; use phases=[train]")
        return ("train",)
    return phases
