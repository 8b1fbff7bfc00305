"""Hydra's door to SLURM: each run on the hardware that its own config names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus, run_job
from hydra.plugins.launcher import Launcher

if TYPE_CHECKING:
    from launchers.composition import Run
    from launchers.slurm_sweep import Done
    from launchers.sweep_id import Sweep
    from tasks.plan import Plan


class SlurmLauncher(Launcher):
    """Keyword arguments: `launchers.settings.SlurmSettings`; looked at in `setup`, since Hydra
    wraps what is raised while it makes a launcher."""

    def __init__(self, **settings: Any) -> None:
        self._given = settings

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        from launchers import sweep_check, sweep_loader
        from launchers.settings import SlurmSettings
        from tasks.config.refusals import validated

        self.settings = validated(SlurmSettings, self._given, "hydra.launcher")
        sweep_loader.remember(hydra_context)
        sweep_check.check(config, hydra_context.config_loader)
        self.hydra_context = hydra_context
        self.task_function = task_function
        self.config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        from launchers import slurm_sweep
        from launchers.composition import compose_runs

        runs = compose_runs(self.hydra_context, self.config, job_overrides, initial_job_idx)
        num_runs = initial_job_idx + len(runs)
        plans = {
            run.plan.run_name: replace(run.plan, sweep=self._sweep.place(at, num_runs))
            for at, run in enumerate(runs, start=initial_job_idx + 1)
            if run.plan and not run.is_done
        }
        done = slurm_sweep.run(plans, self.settings)
        return [self._answer(run, plans, done) for run in runs]

    @cached_property
    def _sweep(self) -> Sweep:
        from launchers import sweep_id

        return sweep_id.begun(self.config)

    def _answer(self, run: Run, submitted: Mapping[str, Plan], done: Done) -> JobReturn:
        """Hand the run to the task function, whose runner answers with what SLURM has run."""
        name = run.plan.run_name if run.plan else ""
        if name in submitted and name not in done.outcomes and name not in done.refusals:
            return JobReturn(cfg=run.config, status=JobStatus.COMPLETED)  # left in the queue
        return run_job(
            hydra_context=self.hydra_context,
            task_function=partial(self.task_function, runner=done.answer),
            config=run.config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
