"""A sweep on SLURM from plans to outcomes: preview, or submit and wait."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launchers import (
    slurm_check,
    slurm_environment,
    slurm_limits,
    slurm_queue,
    slurm_state,
    slurm_submit,
    slurm_wait,
)
from launchers.settings import SlurmSettings
from launchers.slurm_settle import settle
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import Outcome


@dataclass(frozen=True)
class Done:
    """What came of a sweep. refusals: one for each group of runs that SLURM did not take, by the
    name of the group's first run."""

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)

    def answer(self, plan: Plan, say: Callable[[Any], None]) -> Outcome:
        """The runner of a run that is not measured here."""
        from launchers import local

        if plan.run_name in self.refusals:
            raise PlanError(self.refusals[plan.run_name])
        done = self.outcomes.get(plan.run_name)
        return local.run(plan, say) if done is None else done


def run(plans: Mapping[str, Plan], settings: SlurmSettings) -> Done:
    """Submit and, unless `wait` is off, wait. Raises `PlanError`."""
    from launchers import power_limit, preview

    power_limit.require_supervisor(plans.values(), "hydra/launcher=slurm")
    _require_importable({plan.output_dir for plan in plans.values()})
    if any(plan.dry_run for plan in plans.values()):
        text, refused = preview.text(list(plans.values()), settings)
        print(text)
        if refused:
            raise PlanError("; ".join(refused))
        return Done()
    if not plans:
        return Done()
    _require_slurm()
    output_dir = next(iter(plans.values())).output_dir
    try:
        _settle_earlier(plans, output_dir, settings)
        submission = slurm_queue.submit(list(plans.values()), settings)
        _print_submission(plans, submission)
        _print_over_limits(plans, submission)
        refusals = _by_group(submission.refused)
        if not settings.wait:
            return Done(refusals=refusals)
        outcomes = slurm_wait.wait_for(plans, submission.tickets, settings)
    except KeyboardInterrupt:
        print(_advice(plans, output_dir), file=sys.stderr, flush=True)
        raise
    except slurm_state.SlurmUnreachable as error:
        raise PlanError(f"SLURM's controller does not answer ({error}); try again later") from None
    return Done(outcomes, refusals)


def _require_importable(output_dirs: Iterable[Path]) -> None:
    for folder in output_dirs:
        if ":" in str(folder):
            raise PlanError(
                f"output_dir={folder} holds a colon, which separates folders in Python's "
                "PYTHONPATH: the jobs could not import their code; choose another name"
            )


def _require_slurm() -> None:
    if shutil.which("sbatch") is None:
        raise PlanError(
            "hydra/launcher=slurm needs SLURM's sbatch, which is not on PATH; "
            "run it on a login node or leave hydra/launcher out"
        )
    if problem := slurm_environment.several_clusters():
        raise PlanError(problem)


def _settle_earlier(plans: Mapping[str, Plan], output_dir: Path, settings: SlurmSettings) -> None:
    """Runs whose jobs ended while nobody waited: their records say why before they run again."""
    tickets = slurm_queue.of_plans(plans.values(), slurm_queue.read_tickets(output_dir))
    known = slurm_submit.queued(settings, [ticket.job_id for ticket in tickets.values()])
    ended = {
        name: ticket for name, ticket in tickets.items() if not slurm_queue.is_live(ticket, known)
    }
    states = slurm_wait.final_states({ticket.job_id for ticket in ended.values()}, known)
    for name, ticket in ended.items():
        state = states[ticket.job_id]
        if state.has_ended and Path(ticket.folder) == plans[name].folder:
            at_once = SlurmSettings(visibility_s=0.0)  # it ended long ago: nothing shows late
            settle(plans[name], ticket, state, at_once)


def _by_group(refused: Mapping[str, str]) -> dict[str, str]:
    """One line for all runs that are refused with the same words."""
    groups: dict[str, list[str]] = {}
    for name, words in refused.items():
        groups.setdefault(words, []).append(name)
    return {
        names[0]: f"{len(names)} run{'s' * (len(names) > 1)} not submitted: {words}"
        for words, names in groups.items()
    }


def _print_submission(plans: Mapping[str, Plan], submission: slurm_queue.Submission) -> None:
    tickets = submission.tickets
    queued = len(tickets) - submission.num_new
    runs = "run" if submission.num_new == 1 else "runs"
    print(f"{submission.num_new} {runs} submitted, {queued} were queued already", flush=True)
    for name, plan in plans.items():
        if name in tickets:
            run = f"{plan.model.name} ({plan.in_words}) on {plan.hardware.name} {name}"
            print(f"  job {tickets[name].job_id}: {run}")


def _print_over_limits(plans: Mapping[str, Plan], submission: slurm_queue.Submission) -> None:
    """Jobs that wait for ever, also where nobody waits for them."""
    names = submission.tickets.keys() & plans.keys() if submission.num_new else set()
    for hardware in {plans[name].hardware.name: plans[name].hardware for name in names}.values():
        over = slurm_check.over_time_limit(hardware) or slurm_limits.over_limit(hardware)
        if over:
            print(f"  {over}: jobs on {hardware.name} do not start by themselves", flush=True)


def _advice(plans: Mapping[str, Plan], output_dir: Path) -> str:
    """What to do after Ctrl-C."""
    num_left = len(plans.keys() - slurm_queue.read_tickets(output_dir).keys())
    lines = []
    if num_left < len(plans):
        lines += [
            "the jobs go on without this command",
            f"  see them      watt status {output_dir}",
            "  wait again    the same command",
            f"  cancel them   watt cancel {output_dir}",
        ]
    if num_left:
        lines.append(f"{num_left} of {len(plans)} runs were not submitted; the same command does")
    return "\n" + "\n".join(lines)
