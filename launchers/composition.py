"""Every run of a sweep with a config of its own: what `hardware=a,b` sweeps is then a plan's."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, open_dict

from launchers.light_job import as_job
from tasks.config.checked import checked_plan
from tasks.config.origin import with_file
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import finished


@dataclass
class Run:
    """One run of a sweep; `plan` is None where the config was refused."""

    config: DictConfig
    plan: Plan | None
    refusal: str = ""

    @property
    def is_done(self) -> bool:
        return self.plan is not None and not self.plan.force and finished(self.plan) is not None


def compose_runs(
    context: Any, config: Any, job_overrides: Sequence[Sequence[str]], first: int
) -> list[Run]:
    """Compose and validate each run of a sweep, in order."""
    from hydra.core.utils import setup_globals

    setup_globals()
    runs = []
    for index, overrides in enumerate(job_overrides, start=first):
        own = context.config_loader.load_sweep_config(config, list(overrides))
        with open_dict(own):
            own.hydra.job.id = str(index)
            own.hydra.job.num = index
        try:
            with as_job(own):
                plan = checked_plan(own)
            runs += _each_repetition(own, plan)
        except PlanError as error:
            runs.append(Run(own, None, with_file(str(error), own.hydra)))
    return runs


def _each_repetition(config: DictConfig, plan: Plan) -> list[Run]:
    """The run as often as `repeats` says, each with a config that asks for that one alone."""
    if config.repetition is not None:
        return [Run(config, plan)]
    runs = []
    for repetition in plan.repetitions():
        own = config if plan.repeats == 1 else copy.deepcopy(config)
        with open_dict(own):
            own.repetition = repetition.repetition
        runs.append(Run(own, repetition))
    return runs
