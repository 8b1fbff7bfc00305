"""Hydra's door to SLURM: each run on the hardware that its own config names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus, run_job
from hydra.plugins.launcher import Launcher

from tasks.errors import PlanError

if TYPE_CHECKING:
    from launchers.composition import Run
    from tasks.plan import Plan
    from tasks.running.execute import Outcome


class SlurmLauncher(Launcher):
    """Keyword arguments: `launchers.slurm_resources.SlurmSettings`."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        from launchers import sweep_loader

        sweep_loader.remember(hydra_context)
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        from launchers import preview
        from launchers.composition import compose_runs
        from launchers.slurm_resources import SlurmSettings

        settings = SlurmSettings(**self.settings)
        runs = compose_runs(self.hydra_context, self.config, job_overrides, initial_job_idx)
        plans = {run.plan.run_name: run.plan for run in runs if run.plan and not run.is_done}
        if any(plan.dry_run for plan in plans.values()):
            print(preview.text(list(plans.values()), settings))
        outcomes: dict[str, Outcome] = {}
        if plans and not any(plan.dry_run for plan in plans.values()):
            outcomes = _submit(plans, settings)
        left_queued = set() if settings.wait else set(plans)
        return [self._answer(run, left_queued, outcomes) for run in runs]

    def _answer(
        self, run: Run, left_queued: set[str], outcomes: Mapping[str, Outcome]
    ) -> JobReturn:
        """Hand the run to the task function, whose runner answers with what SLURM has run."""
        if run.plan and not run.plan.dry_run and run.plan.run_name in left_queued:
            return JobReturn(cfg=run.config, status=JobStatus.COMPLETED)
        return run_job(
            hydra_context=self.hydra_context,
            task_function=partial(self.task_function, runner=partial(_outcome_of, outcomes)),
            config=run.config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )


def _outcome_of(outcomes: Mapping[str, Outcome], plan: Plan, say: Callable[[Any], None]) -> Outcome:
    from launchers import local

    return outcomes[plan.run_name] if plan.run_name in outcomes else local.run(plan, say)


def _submit(plans: dict[str, Plan], settings: Any) -> dict[str, Outcome]:
    """Submit, and wait where that is asked: the outcomes of what has ended, by identity."""
    import shutil

    from launchers import slurm_queue, slurm_wait
    from metering.code_version import code_version

    if shutil.which("sbatch") is None:
        raise PlanError(
            "hydra/launcher=slurm needs SLURM's sbatch, which is not on PATH; "
            "run it on a login node or leave hydra/launcher out"
        )
    tickets, num_new = slurm_queue.submit(list(plans.values()), settings, code_version())
    print(f"{num_new} runs submitted, {len(tickets) - num_new} were queued already", flush=True)
    for identity, plan in plans.items():
        ticket = tickets[identity]
        print(f"  job {ticket.job_id}: {plan.model.name} on {plan.hardware.name} {identity}")
    return slurm_wait.wait_for(plans, tickets, settings) if settings.wait else {}
