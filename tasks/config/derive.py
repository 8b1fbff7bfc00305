"""From what a user wrote to the groups of a plan: defaults filled in, files looked up, groups that
do not suit each other refused."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metering import catalogue
from metering.settings import MeterSettings
from tasks.config import config_sources, own_modules
from tasks.config.digests import digest, digest_of_text
from tasks.config.groups import DataPlan, HardwarePlan, ModelPlan
from tasks.config.schema import (
    DataConfig,
    HardwareConfig,
    MeterConfig,
    ModelConfig,
    RunConfig,
    stage_of,
)
from tasks.config.stages import size_of_stage
from tasks.config.weight_files import PRETRAINED
from tasks.errors import PlanError

OWN = "own"
"""`model=own`: a network of the user's, called after what makes it."""


def model_plan(given: RunConfig, task: str) -> ModelPlan:
    """Raises `PlanError`."""
    config, checkpoint = given.model, given.checkpoint
    name, source = config.name, config.source
    if source is None:
        source = config.config
        if source is None:
            raise PlanError(
                f"model={name} needs model.source=package.module:callable, which makes the network"
                if name == OWN
                else f"model={name} needs model.config=NAME, a config of its library, or the key "
                "source in its file"
            )
        name = Path(source).stem
    elif name == OWN:
        name = source.split(":")[-1]
    if config.task != task:
        raise PlanError(
            f"model={name} belongs to task={config.task}, not task={task}; "
            f"leave task= out or write task={config.task}"
        )
    recipe = tuple(stage_of(entry, config.recipe_size) for entry in config.recipe or ())
    recipe_size = size_of_stage(given.stage, recipe, config.recipe_size)
    return ModelPlan(
        name=name,
        task=task,
        source=source,
        paper_row=config.paper_row,
        input_size=config.input_size or recipe_size,
        training=config.training,
        recipe=recipe,
        options=dict(config.options or {}),
        checkpoint=checkpoint,
        checkpoint_weights=given.checkpoint_weights,
        digests=_digests(config, source, checkpoint, given.checkpoint_weights),
        recipe_size=recipe_size,
        imports=config.imports or (),
        path=None if config.path is None else str(Path(config.path).expanduser().absolute()),
    )


def _digests(
    config: ModelConfig, source: str, checkpoint: str | None, weights: str
) -> dict[str, str]:
    files = {"checkpoint": checkpoint, "source": source if source.endswith(".py") else None}
    paths = {key: Path(value).expanduser() for key, value in files.items() if value is not None}
    digests = {key: digest(path) for key, path in paths.items() if path.is_file()}
    named = own_modules.callable_name(source)
    modules = [*(config.imports or ()), *([named[0]] if named else [])]
    if "source" in digests:
        modules += config_sources.modules(paths["source"])
    of_modules = [own_modules.digest_of(modules, config.path)] if modules else []
    of_files = [digest(path) for path in _config_files(paths.get("source"))]
    if parts := [*of_files, *of_modules]:
        digests["source"] = parts[0] if len(parts) == 1 else digest_of_text("\n".join(parts))
    if checkpoint == PRETRAINED:
        digests["checkpoint"] = PRETRAINED
    elif "checkpoint" in digests and weights == "ema":
        digests["checkpoint"] += "-ema"
    return digests


def _config_files(config: Path | None) -> list[Path]:
    if config is None or not config.is_file():
        return []
    return [config, *config_sources.bases(config)]


def require_data_of_task(name: str, tasks: Sequence[str], task: str) -> None:
    """Raises `PlanError` where the set `name` is one for other `tasks`."""
    if task not in tasks:
        raise PlanError(
            f"data={name} belongs to task={' or '.join(tasks)}, not task={task}; "
            "choose other data or another model"
        )


def data_plan(config: DataConfig, task: str) -> DataPlan:
    """Raises `PlanError` where the set is another task's, or has no folder."""
    require_data_of_task(config.name, config.tasks, task)
    if config.needs_root and config.root is None:
        raise PlanError(f"data={config.name} needs data.root=FOLDER, the folder that holds the set")
    cache = config.cache_dir or os.environ.get("XDG_CACHE_HOME", "~/.cache") + "/watt-for-what"
    values = _fields_of(DataPlan, config) | {"cache_dir": str(Path(cache).expanduser())}
    return DataPlan(**values)


def hardware_plan(config: HardwareConfig) -> HardwarePlan:
    """Raises `PlanError` where a power limit is asked for that may not, or cannot, be set."""
    if config.power_limit_w is not None:
        said = f"hardware.power_limit_w={config.power_limit_w:g}"
        if not config.allow_power_limit:
            raise PlanError(
                f"{said} changes a setting of the GPU for all who use it; "
                "add hardware.allow_power_limit=true if you may, or leave it out"
            )
        if config.accelerator == "cpu":
            raise PlanError(f"{said} is a GPU's, and hardware.accelerator=cpu; leave it out")
        if config.nodes > 1:
            raise PlanError(
                f"{said} is set on one machine, and hardware.nodes={config.nodes}; leave it out"
            )
    return HardwarePlan(**_fields_of(HardwarePlan, config))


def meter_settings(
    config: MeterConfig, paper_samples: int, batch_size: int, data: DataPlan
) -> MeterSettings:
    """Raises `PlanError` where the numbers contradict each other."""
    settings = MeterSettings(**_fields_of(MeterSettings, config))
    if config.max_blocks < config.min_blocks:
        raise PlanError(
            f"meter.max_blocks={config.max_blocks} is under "
            f"meter.min_blocks={config.min_blocks}; raise it"
        )
    num_steps = config.num_steps
    if config.num_epochs is not None:
        num_steps = _steps(config.num_epochs, settings, data, batch_size)
    if config.mode == "paper" and num_steps is None:
        num_steps = math.ceil(paper_samples / batch_size)
    if config.mode != "adaptive" and num_steps is None:
        raise PlanError(
            f"meter.num_steps=null leaves meter={config.name} without an end; give a whole number"
        )
    return dataclasses.replace(settings, num_steps=num_steps)


def _steps(num_epochs: float, meter: MeterSettings, data: DataPlan, batch_size: int) -> int:
    """Steps that see the run's share of the training data `num_epochs` times."""
    known = catalogue.data_set(data.name)
    size = data.options.get("train_samples") or (known and known.num_train)
    if meter.mode != "fixed" or meter.num_steps is not None or not isinstance(size, int):
        raise PlanError(
            f"meter.num_epochs={num_epochs:g} needs meter=fixed, meter.num_steps=null and data "
            "whose number of training images is known (synthetic, imagenet); give meter.num_steps "
            "instead"
        )
    num_samples = max(1, round(size * data.fraction))
    return math.ceil(num_epochs * num_samples / batch_size)


def _fields_of(kind: type, config: object) -> dict[str, Any]:
    return {entry.name: getattr(config, entry.name) for entry in dataclasses.fields(kind)}
