"""The plan: one run as frozen, typed values. `from_config` alone reads a DictConfig."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import SkipValidation
from pydantic.dataclasses import dataclass

from metering import catalogue
from metering.record import Phase, SweepPlace
from metering.settings import MeterSettings
from metering.setup import Asked, identity
from tasks.config import derive
from tasks.config.groups import (
    STRICT,
    DataPlan,
    HardwarePlan,
    ModelPlan,
    whole_where_whole,
)
from tasks.config.model_names import CONF_DIR
from tasks.config.refusals import group_of, shown, unresolved, validated
from tasks.config.schema import RunConfig
from tasks.config.stages import SUPERVISED, resolve
from tasks.errors import PlanError, unknown

__all__ = ["DataPlan", "HardwarePlan", "ModelPlan", "Plan", "from_config"]


@dataclass(frozen=True, config=STRICT)
class Plan:
    """One run. `identity` is over what is asked of it (`asked`); the other fields do not change
    the result.

    batch_size: samples of one step of the optimizer, over all ranks; accumulation_steps: in how
    many parts they pass through the network when it is trained; repeats: how many records of this
    identity are wanted; repetition: which of them this is, from 1; sweep: of which it is a run.
    """

    task: str
    model: ModelPlan
    data: DataPlan
    hardware: HardwarePlan
    meter: SkipValidation[MeterSettings]
    batch_size: int
    accumulation_steps: int = 1
    phases: tuple[Phase, ...] = ("train", "test")
    stage: str = SUPERVISED
    scale: str = "full"
    precision: str = "fp32"
    channels_last: bool = True
    compile: bool = False
    checkpoint_write: bool = True
    seed: int = 0
    output_dir: Path = Path("runs")
    force: bool = False
    retry_failed: bool = False
    dry_run: bool = False
    repeats: int = 1
    repetition: int = 1
    sweep: SweepPlace | None = None

    @property
    def micro_batch(self) -> int:
        """Samples that pass through the network of one rank at once when it is trained."""
        return self.batch_size // (self.hardware.num_ranks * self.accumulation_steps)

    @cached_property
    def asked(self) -> Asked:
        """The set-up that this plan asks for. Raises `PlanError` where a file cannot be read."""
        return _asked(self)

    @property
    def identity(self) -> str:
        """16 hex digits over `asked`; repetitions share it."""
        return identity(self.asked)

    @property
    def run_name(self) -> str:
        """The identity, and of a repetition after the first its number: `<identity>-2`."""
        return self.identity if self.repetition == 1 else f"{self.identity}-{self.repetition}"

    @property
    def in_words(self) -> str:
        """What most often tells runs of one network apart, for a person: its name is a digest."""
        stage = "" if self.stage == SUPERVISED else f", {self.stage}"
        return f"{self.data.name}, batch {self.batch_size}, {self.precision}{stage}"

    @property
    def folder(self) -> Path:
        """`<output_dir>/<task>/<model>/<hardware>/<run name>`."""
        parts = (self.task, self.model.name, self.hardware.name, self.run_name)
        return self.output_dir.joinpath(*parts)

    def repetitions(self) -> Iterator[Plan]:
        """This plan once for each record that is wanted, each with the next seed."""
        for number in range(1, self.repeats + 1):
            seed = self.seed + number - self.repetition
            yield dataclasses.replace(self, repetition=number, seed=seed)


def from_config(config: DictConfig) -> Plan:
    """Validate `config` and make the plan. Raises `PlanError`: one line with key, value, cure."""
    values = _values(config)
    given = validated(RunConfig, values)
    task = given.task.name
    model = derive.model_plan(given, task)
    batch_size = given.batch_size or given.task.batch_size
    data = derive.data_plan(given.data, task)
    stage = resolve(given.stage, model.recipe, model.name)
    plan = Plan(
        task=task,
        model=model,
        data=data,
        hardware=derive.hardware_plan(given.hardware),
        meter=derive.meter_settings(given.meter, given.task.paper_samples, batch_size, data),
        batch_size=batch_size,
        phases=_phases(given.phases, stage),
        stage=stage,
        output_dir=Path(given.output_dir).expanduser().absolute(),
        repetition=given.repetition or 1,
        seed=given.seed + (given.repetition or 1) - 1,
        **{name: getattr(given, name) for name in _SAME},
    )
    _require_whole_shares(plan)
    if plan.repetition > plan.repeats:
        raise PlanError(
            f"repetition={plan.repetition} is above repeats={plan.repeats}; raise repeats"
        )
    return plan


_SAME = (
    "accumulation_steps",
    "scale",
    "precision",
    "channels_last",
    "compile",
    "checkpoint_write",
    "force",
    "retry_failed",
    "dry_run",
    "repeats",
)


def _require_data_of_task(config: DictConfig) -> None:
    """A recipe takes its numbers from the data of its task, and cannot from another's: the data
    are what is wrong then, not the number."""
    names = ("data.name", "data.tasks", "task.name", "model.task")
    name, tasks, of_task, of_model = (
        OmegaConf.select(config, one, throw_on_resolution_failure=False) for one in names
    )
    task = of_task or of_model
    if isinstance(tasks, ListConfig) and isinstance(task, str):
        derive.require_data_of_task(str(name), [str(one) for one in tasks], task)


def _values(config: DictConfig) -> dict[str, Any]:
    """The config as plain values, each group in its place."""
    try:
        values = {str(key): _value(config, key) for key in config if key != "hydra"}
    except OmegaConfBaseException as error:
        _require_data_of_task(config)
        raise unresolved(config, error) from None
    for name in ("model", "data", "hardware", "meter"):
        choices = [path.stem for path in (CONF_DIR / name).glob("*.yaml")]
        values[name] = group_of(values, name, choices)
    values["task"] = _task(values.get("task"), values["model"].get("task", "classification"))
    return values


def _value(config: DictConfig, key: Any) -> Any:
    value = config[key]
    if not OmegaConf.is_config(value):
        return value
    return OmegaConf.to_container(value, resolve=True, throw_on_missing=True)


def _task(chosen: Any, of_model: Any) -> Any:
    """The chosen task's settings, else those of the model's task; a value of the user's own goes
    before the file's."""
    if chosen is None:
        chosen = {}
    if not isinstance(chosen, dict):
        return chosen
    if (name := chosen.get("name")) is not None:
        if name not in catalogue.task_names():
            raise unknown("task.name", shown(name), catalogue.task_names())
        return chosen
    path = CONF_DIR / "task" / f"{of_model}.yaml"
    if of_model not in catalogue.task_names() or not path.is_file():
        raise unknown("model.task", shown(of_model), catalogue.task_names())
    settings = _task_settings(path)
    own = {name: value for name, value in chosen.items() if value is not None}
    return settings | own


@cache
def _task_settings(path: Path) -> dict[str, Any]:
    """Not to be changed: a sweep's runs share it."""
    settings: Any = OmegaConf.to_container(OmegaConf.load(path))
    return settings


def _require_whole_shares(plan: Plan) -> None:
    ranks = plan.hardware.num_ranks
    if plan.batch_size % ranks:
        raise PlanError(
            f"batch_size={plan.batch_size} is the total over {ranks} ranks and does not "
            f"divide by {ranks}; choose a multiple"
        )
    if plan.batch_size % (ranks * plan.accumulation_steps):
        raise PlanError(
            f"accumulation_steps={plan.accumulation_steps} cannot split batch_size="
            f"{plan.batch_size} of {ranks} ranks into equal parts; choose a divisor of "
            f"{plan.batch_size // ranks}"
        )


def _phases(phases: tuple[Phase, ...], stage: str) -> tuple[Phase, ...]:
    """Testing is the same whatever came before: a stage of its own has only a train phase."""
    if stage == SUPERVISED:
        return phases
    if "train" not in phases:
        raise PlanError(f"stage={stage} has no test phase; use phases=[train]")
    return ("train",)


def _asked(plan: Plan) -> Asked:
    """What the plan asks for; its task's package (`tasks.TASK.setup`) says what the network, its
    training and the data are. What only interprets a number (recipe, paper row, wall factor,
    country, tolerances) and where files lie is not in it."""
    parts = importlib.import_module(f"tasks.{plan.task}.setup").parts(plan)
    parts["network"] = _without_folder(parts["network"])
    parts["network_options"] = whole_where_whole(parts["network_options"])
    if plan.accumulation_steps > 1:
        more = {"accumulation_steps": plan.accumulation_steps}
        parts["training"] = parts.get("training", {}) | more
    return Asked(
        task=plan.task,
        model=plan.model.name,
        source_digest=plan.model.digests.get("source"),
        stage=plan.stage,
        batch_size=plan.batch_size,
        precision=plan.precision,
        channels_last=plan.channels_last,
        compile=plan.compile,
        accelerator=plan.hardware.accelerator,
        device=plan.hardware.gpu,
        num_devices=plan.hardware.num_ranks,
        num_nodes=plan.hardware.nodes,
        num_threads=plan.hardware.num_threads,
        num_workers=plan.data.num_workers,
        power_limit_w=plan.hardware.power_limit_w,
        checkpoint_digest=plan.model.digests.get("checkpoint"),
        scale=plan.scale,
        protocol=_measured(plan.meter),
        has_nodes_alone=plan.hardware.asks_for_gpus and plan.hardware.has_nodes_alone,
        **parts,
    )


def _without_folder(network: str) -> str:
    """A config file of the user's by its name alone: its content is in `source_digest`, and where
    it lies changes no result."""
    is_file = network.endswith(".py") and Path(network).expanduser().is_file()
    return Path(network).name if is_file else network


def _measured(meter: MeterSettings) -> dict[str, Any]:
    """What is measured, not how narrow an interval is wanted."""
    if meter.mode == "adaptive":
        return {"mode": meter.mode}
    steps = {"num_steps": meter.num_steps, "num_warmup_steps": meter.num_warmup_steps}
    return {"mode": meter.mode} | steps
