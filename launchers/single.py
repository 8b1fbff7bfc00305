"""One run without `-m`: here, or as one job where `hydra/launcher=slurm` is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.plan import Plan
    from tasks.running.execute import Outcome


def run(plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Outcome | None:
    """The outcome; None where the job was submitted and is not waited for. Raises `PlanError`."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from launchers import local

    chosen = HydraConfig.get().launcher if HydraConfig.initialized() else {}
    target = str(chosen.get("_target_", ""))
    if not target.endswith(".SlurmLauncher"):
        return local.run(plan, say)
    from launchers import slurm_sweep
    from launchers.slurm_resources import SlurmSettings
    from tasks.running.execute import Outcome, finished

    done = None if plan.force else finished(plan)
    if done is not None:
        return Outcome(done, plan.folder, reused=True)
    given: Any = OmegaConf.to_container(chosen)
    settings = SlurmSettings(**{name: given[name] for name in given if name != "_target_"})
    result = slurm_sweep.run({plan.run_name: plan}, settings)
    if plan.run_name in result.refusals or plan.run_name in result.outcomes:
        return result.answer(plan, say)
    return None
