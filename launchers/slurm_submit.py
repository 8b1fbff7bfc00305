"""`sbatch`, as a busy site answers it: limits on arrays and on queued jobs, a slow controller."""

from __future__ import annotations

import re
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from launchers import slurm_environment, slurm_state
from launchers.settings import SlurmSettings
from launchers.slurm_code import Copy
from launchers.slurm_job import write_list
from launchers.slurm_leaving import Rules
from launchers.slurm_resources import Array, job_name, sbatch_text
from metering.deferred_signals import deferred_signals
from tasks.plan import Plan

FULL = ("submitjob", "submit limit", "maxjobcount", "too many jobs", "maximum number of jobs")
"""What it says where a limit leaves room again once jobs have ended."""
FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 60.0


class Refused(RuntimeError):
    """SLURM does not take this job: one line that says why."""


class _Full(RuntimeError):
    """No room for so many jobs now."""


@dataclass(frozen=True)
class Submitted:
    """A run and the job that it is in: number of the run in it."""

    plan: Plan
    job_id: str
    number: int


def submit(
    plans: Sequence[Plan], home: Path, settings: SlurmSettings, copy: Copy
) -> Iterator[list[Submitted]]:
    """Submit runs of equal resources; yields the runs of each array once SLURM has taken it.

    Raises `Refused`; what was yielded before stays submitted.
    """
    largest = max_jobs_in_array()
    left, num_jobs = list(plans), largest
    waits = _waits(settings.submit_patience_s)
    while left:
        group = left[: num_jobs * settings.runs_per_job]
        try:
            with deferred_signals() as arrived:  # until the caller has written the tickets
                yield _submit_array(group, home, settings, copy, arrived)
        except _Full as error:
            if len(group) > settings.runs_per_job:
                num_jobs = max(1, -(-len(group) // settings.runs_per_job) // 2)
                continue
            if not _any_queued() or not next(waits, False):
                raise Refused(str(error)) from None
            print(f"no room in the queue yet ({error}); {len(left)} runs wait", file=sys.stderr)
        else:
            left = left[len(group) :]
            waits = _waits(settings.submit_patience_s)


def max_jobs_in_array() -> int:
    """`MaxArraySize` is one more than the largest index; 1 where the site has no arrays."""
    known = slurm_state.config_value("MaxArraySize") or ""
    return max(1, int(known)) if known.isdigit() else 1000


def _submit_array(
    plans: Sequence[Plan], home: Path, settings: SlurmSettings, copy: Copy, arrived: Sized
) -> list[Submitted]:
    hardware = plans[0].hardware
    size = settings.runs_per_job
    jobs = [plans[begin : begin + size] for begin in range(0, len(plans), size)]
    token = f"watt-{uuid.uuid4().hex[:16]}"
    folder = home / "jobs"
    plans_file = folder / f"{token}.plans"
    array = Array(
        folder=folder,
        plans_file=plans_file,
        num_runs=len(plans),
        name=job_name(plans),
        code=copy.import_folders,
    )
    rules = Rules(
        requeue=hardware.slurm.get("requeue") is not False,
        max_requeues=settings.max_requeues,
        signal_delay_s=settings.signal_delay_s,
        time_min=hardware.slurm.get("time_min"),
    )
    script = folder / f"{token}.sh"
    text = sbatch_text(array, hardware, settings)
    write_list(plans_file, jobs, rules)
    script.write_text(text, encoding="utf-8")
    try:
        number = _sbatch(script, token, settings, arrived)
    except BaseException:  # nothing of what SLURM does not have is left behind
        plans_file.unlink()
        script.unlink()
        raise
    ids = [number] if len(jobs) == 1 else [f"{number}_{index}" for index in range(len(jobs))]
    return [
        Submitted(plan, job_id, place)
        for job_id, job in zip(ids, jobs, strict=True)
        for place, plan in enumerate(job)
    ]


def _sbatch(script: Path, token: str, settings: SlurmSettings, arrived: Sized) -> str:
    """The job's number. A controller that does not answer is asked again, after a look whether it
    had taken the job after all. arrived: signals that wait, one of which ends the waiting. Raises
    `Refused` and `_Full`."""
    waits = _waits(settings.submit_patience_s, partial(_sleep, arrived=arrived))
    environment = slurm_environment.for_sbatch(script.read_text(encoding="utf-8"))
    if member := slurm_state.federation_member():
        environment.setdefault("SLURM_CLUSTERS", member)  # not on a sibling, which we do not ask
    while True:
        done = slurm_state.call("sbatch", str(script), environment=environment)
        submitted = re.search(r"Submitted batch job (\d+)", done.stdout)
        if done.returncode == 0 and submitted:
            return submitted.group(1)
        answer = error_line(done.stderr or done.stdout)
        if _is_full(answer):
            raise _Full(answer)
        if not slurm_state.is_slow(answer):
            raise Refused(answer)
        print(f"SLURM does not answer ({answer}); asking again", file=sys.stderr, flush=True)
        taken = _taken(token)
        if taken:
            return taken
        if not next(waits, False):
            raise Refused(f"{answer} (for {settings.submit_patience_s:g} s)")
        taken = _taken(token)
        if taken:
            return taken


def _taken(token: str) -> str | None:
    try:
        known = slurm_state.queued()
    except slurm_state.SlurmUnreachable:
        return None
    job_ids = (job_id for job_id, job in known.items() if token in job.command)
    return next((job_id.partition("_")[0] for job_id in job_ids), None)


def _any_queued() -> bool:
    """Whether this user has a job that will end, and then make room."""
    try:
        return any(not job.has_ended for job in slurm_state.queued().values())
    except slurm_state.SlurmUnreachable:
        return True


def _waits(patience_s: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[bool]:
    """True after each wait, which are twice as long each time; ends when patience does."""
    waited_s, next_s = 0.0, FIRST_WAIT_S
    while waited_s < patience_s:
        sleep(min(next_s, patience_s - waited_s))
        waited_s += next_s
        next_s = min(2 * next_s, LONGEST_WAIT_S)
        yield True


def _sleep(duration_s: float, arrived: Sized) -> None:
    deadline = time.monotonic() + duration_s
    while (left_s := deadline - time.monotonic()) > 0:
        if arrived:
            raise KeyboardInterrupt
        time.sleep(min(left_s, 0.2))


def queued(settings: SlurmSettings, job_ids: Collection[str] = ()) -> dict[str, slurm_state.Queued]:
    """As `slurm_state.queued`; a controller that is slow or restarting is waited for."""
    waits = _waits(settings.submit_patience_s)
    while True:
        try:
            return slurm_state.queued(job_ids)
        except slurm_state.SlurmUnreachable as error:
            if not slurm_state.is_slow(str(error)) or not next(waits, False):
                raise
            print(f"SLURM does not answer ({error}); asking again", file=sys.stderr, flush=True)


def _is_full(answer: str) -> bool:
    """SLURM names a limit (`QOSMaxSubmitJobPerUserLimit`), then says the same of all of them."""
    named = re.search(r"\b(?:QOS|Assoc)\w+Limit\b", answer)
    return any(words in (named.group(0) if named else answer).lower() for words in FULL)


def error_line(text: str) -> str:
    """`sbatch`'s words in one line, without its name before each."""
    lines = [re.sub(r"^sbatch: (error: )?", "", line).strip() for line in text.splitlines()]
    return "; ".join(line for line in lines if line)
