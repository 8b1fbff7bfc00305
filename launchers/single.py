"""One run without `-m`: here, or as one job where `hydra/launcher=slurm` is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launchers.settings import SlurmSettings
    from tasks.plan import Plan
    from tasks.running.execute import Outcome

OF_SWEEPS = ("order", "order_seed", "cooldown_s", "devices")
"""Settings of `hydra.launcher` that say how the runs of a sweep follow each other."""


def run(plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Outcome | None:
    """The outcome; None where the job was submitted and is not waited for. Raises `PlanError`."""
    from launchers import local

    settings = _slurm_settings()
    if settings is None:
        return local.run(plan, say)
    from launchers import slurm_sweep
    from tasks.running.execute import finished, reused

    done = None if plan.force else finished(plan)
    if done is not None:
        return reused(done, plan.folder, plan)
    result = slurm_sweep.run({plan.run_name: plan}, settings)
    if plan.run_name in result.refusals or plan.run_name in result.outcomes:
        return result.answer(plan, say)
    return None


def preview(plans: Sequence[Plan]) -> None:
    """What `dry_run=true` says of one config's runs. Of a sweep each run is one line, and its
    launcher adds the sum. Raises `PlanError` for what SLURM would refuse."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from launchers import power_limit
    from launchers.preview import run_line, sweep_lines, why_not_run

    settings = _slurm_settings()
    is_here = settings is None
    for plan in plans:
        power_limit.check(plan)
        print(run_line(plan, is_here), flush=True)
    to_run = [plan for plan in plans if not why_not_run(plan, is_here)]
    is_sweep = HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
    if is_sweep or not to_run:
        return
    if settings is None:
        print("\n".join(sweep_lines(to_run, is_here)), flush=True)
    else:
        from launchers import slurm_sweep

        slurm_sweep.run({plan.run_name: plan for plan in to_run}, settings)


def _slurm_settings() -> SlurmSettings | None:
    """Where `hydra/launcher=slurm` is chosen. Raises `PlanError` for what no launcher takes."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from launchers.settings import SlurmSettings, launcher_settings

    if not HydraConfig.initialized():
        return None
    given: Any = OmegaConf.to_container(HydraConfig.get().launcher)
    settings = launcher_settings(given)
    _refuse_sweep_settings()
    return settings if isinstance(settings, SlurmSettings) else None


def _refuse_sweep_settings() -> None:
    """Of one run without `-m` they would change nothing. Raises `PlanError`."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from tasks.errors import PlanError

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        return
    for text in HydraConfig.get().overrides.hydra:
        key = text.lstrip("+").partition("=")[0]
        if key.removeprefix("hydra.launcher.") in OF_SWEEPS and key.startswith("hydra.launcher."):
            raise PlanError(f"{text} is for the runs of a sweep: add -m, or leave it out")
