"""Every run of a sweep with a config of its own: what `hardware=a,b` sweeps is then a plan's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from tasks.config.checked import checked_plan
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
        bare = OmegaConf.masked_copy(own, [key for key in own if key != "hydra"])
        try:
            runs.append(Run(own, checked_plan(bare)))
        except PlanError as error:
            runs.append(Run(own, None, str(error)))
    return runs
