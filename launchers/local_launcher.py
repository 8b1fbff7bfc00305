"""A sweep on this machine: one run after the other, or side by side on devices of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from omegaconf import open_dict

from launchers import light_job
from tasks.errors import PlanError

if TYPE_CHECKING:
    from launchers.side_by_side import Answers
    from launchers.sweep_id import Sweep
    from tasks.plan import Plan


class LocalLauncher(Launcher):
    """Keyword arguments: `launchers.settings.LocalSettings`; looked at in `setup`, since Hydra
    wraps what is raised while it makes a launcher."""

    def __init__(self, **settings: Any) -> None:
        self._given = settings

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        from launchers import sweep_check, sweep_loader
        from launchers.settings import LocalSettings
        from tasks.config.refusals import validated

        self.settings = validated(LocalSettings, self._given, "hydra.launcher")
        sweep_loader.remember(hydra_context)
        sweep_check.check(config, hydra_context.config_loader)
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        from launchers.cooldown import CoolDown
        from launchers.local import Machine
        from launchers.order import ordered
        from launchers.sweep_runner import SweepRunner

        asked = self.settings
        repeats = self.config.get("repeats", 1)
        jobs = ordered(job_overrides, asked.order, asked.order_seed, repeats)
        if self.config.get("dry_run") is True:
            return self._preview(jobs, initial_job_idx)
        if asked.devices is not None:
            done = self._side_by_side(jobs, initial_job_idx)
            return self._launch(jobs, initial_job_idx, done.run)
        seed = asked.order_seed if asked.order == "shuffled" else None
        cooldown = CoolDown(asked.cooldown_s)
        with Machine(asked.isolate) as machine:
            num_runs = initial_job_idx + len(jobs)
            runner = SweepRunner(machine, self._sweep, num_runs, seed, cooldown)
            return self._launch(jobs, initial_job_idx, runner)

    @cached_property
    def _sweep(self) -> Sweep:
        from launchers import sweep_id

        return sweep_id.begun(self.config)

    def _preview(self, jobs: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        """Each run in a line, then the cost of all that is still to be measured."""
        from launchers.local import run
        from launchers.preview import sweep_lines, why_not_run

        groups = disjoint(self.settings.devices) if self.settings.devices is not None else None
        answers, to_run = [], []
        for number, overrides in enumerate(jobs, start=first):
            answers.append(self._job(overrides, number, run, is_light=True))
            is_refused = answers[-1].status != JobStatus.COMPLETED
            plans: Sequence[Plan] = () if is_refused else answers[-1].return_value or ()
            if groups is not None:
                for plan in plans:
                    fits(plan.hardware.devices, plan.hardware.accelerator, groups)
            to_run += [plan for plan in plans if not why_not_run(plan, is_here=True)]
        _raise_first(answers)
        if to_run:
            print("\n".join(sweep_lines(to_run, is_here=True)), flush=True)
        return answers

    def _launch(
        self, job_overrides: Sequence[Sequence[str]], first: int, runner: Callable[..., Any]
    ) -> Sequence[JobReturn]:
        """As Hydra's own launcher, with the task function's runs by `runner`; keeps no config, no
        record. Raises what the first run raised that raised something, once all have been run."""
        answers = []
        for number, overrides in enumerate(job_overrides, start=first):
            answer = self._job(overrides, number, runner)
            error = answer._return_value if answer.status == JobStatus.FAILED else None
            answers.append(JobReturn(answer.overrides, status=answer.status, _return_value=error))
        _raise_first(answers)
        return answers

    def _job(
        self,
        overrides: Sequence[str],
        number: int,
        runner: Callable[..., Any],
        is_light: bool = False,
    ) -> JobReturn:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        task_function = partial(self.task_function, runner=runner)
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        if is_light and light_job.suits(config):
            return light_job.run(task_function, config)
        return run_job(
            hydra_context=self.hydra_context,
            task_function=task_function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def _side_by_side(self, job_overrides: Sequence[Sequence[str]], first: int) -> Answers:
        from launchers import side_by_side
        from launchers.composition import compose_runs

        groups = disjoint(self.settings.devices or ())
        runs = compose_runs(self.hydra_context, self.config, job_overrides, first)
        order, seed = self.settings.order, self.settings.order_seed
        of_order = {"order": order, "order_seed": seed if order == "shuffled" else None}
        plans = [
            replace(run.plan, sweep=self._sweep.place(at, first + len(runs), **of_order))
            for at, run in enumerate(runs, start=first + 1)
            if run.plan is not None
        ]
        for plan in plans:
            fits(plan.hardware.devices, plan.hardware.accelerator, groups)
        return side_by_side.run_all(plans, groups)


def _raise_first(answers: Sequence[JobReturn]) -> None:
    for answer in answers:
        if answer.status == JobStatus.FAILED:
            raise answer._return_value


def disjoint(devices: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The groups, when no device is in two of them. Raises `PlanError`."""
    groups = [tuple(int(index) for index in group) for group in devices]
    flat: list[Any] = [index for group in groups for index in group]
    if not flat or any(not group for group in groups) or len(flat) != len(set(flat)):
        raise PlanError(
            f"hydra.launcher.devices={[list(group) for group in groups]} lets two runs share a "
            "device, which falsifies both readings; give disjoint groups such as [[0],[1]]"
        )
    return groups


def fits(num_devices: int, accelerator: str, groups: list[tuple[int, ...]]) -> None:
    """Raises `PlanError` when a run cannot have devices of its own."""
    if accelerator == "cpu":
        raise PlanError(
            "hardware.accelerator=cpu: runs side by side would share one CPU; "
            "leave hydra.launcher.devices out"
        )
    if num_devices > min(len(group) for group in groups):
        raise PlanError(
            f"hardware.devices={num_devices} does not fit hydra.launcher.devices="
            f"{[list(group) for group in groups]}; make every group that large"
        )
