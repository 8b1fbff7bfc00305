"""Which run is which job: submitted once, found again by the next call of the same command."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock

from launchers import slurm_state
from launchers.slurm_job import PlanJob
from launchers.slurm_resources import SlurmSettings, executor, group_key
from metering import atomic_file
from metering.record import FILE_NAME
from tasks.plan import Plan


@dataclass(frozen=True)
class Ticket:
    """A submitted run. identity: the name of its folder, which tells repetitions apart; before:
    digest of the record that lay there at submission, which tells this job's record from an older
    one without comparing clocks."""

    identity: str
    job_id: str
    folder: str
    before: str


def slurm_folder(output_dir: Path) -> Path:
    """Submitit's files and the tickets of everything under `output_dir`."""
    return output_dir / ".slurm"


def digest(plan: Plan) -> str:
    """Of the record as it lies there now; empty when there is none."""
    try:
        return hashlib.sha256((plan.folder / FILE_NAME).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def read_tickets(output_dir: Path) -> dict[str, Ticket]:
    """By identity: the newest ticket of each run."""
    found = {}
    for path in (slurm_folder(output_dir) / "tickets").glob("*.json"):
        values = json.loads(path.read_text(encoding="utf-8"))
        ticket = Ticket(**{field.name: values[field.name] for field in fields(Ticket)})
        found[ticket.identity] = ticket
    return found


def submit(
    plans: Sequence[Plan], settings: SlurmSettings, code: dict[str, object]
) -> tuple[dict[str, Ticket], int]:
    """Submit what is not queued: an array per group of equal resources.

    Answers every plan's ticket, and how many were new. Two submitters take turns.
    """
    output_dir = plans[0].output_dir
    home = slurm_folder(output_dir)
    (home / "tickets").mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        known = slurm_state.queued()
        tickets = {
            identity: ticket
            for identity, ticket in read_tickets(output_dir).items()
            if known.get(ticket.job_id, "UNKNOWN") not in slurm_state.ENDED | {"UNKNOWN"}
        }
        groups: dict[str, dict[str, Plan]] = {}
        for plan in plans:
            if plan.run_name not in tickets:
                groups.setdefault(group_key(plan.hardware), {})[plan.run_name] = plan
        num_new = 0
        for group in groups.values():
            new = _submit_group(list(group.values()), home, settings, code)
            tickets |= {ticket.identity: ticket for ticket in new}
            num_new += len(new)
    return {plan.run_name: tickets[plan.run_name] for plan in plans}, num_new


def _submit_group(
    plans: list[Plan], home: Path, settings: SlurmSettings, code: dict[str, object]
) -> list[Ticket]:
    # a folder per job: %j is the job's number, so that logs of a requeue stay together
    made = executor(home / "jobs", plans[0].hardware, settings)
    with made.batch():
        jobs = [made.submit(PlanJob(plan, code)) for plan in plans]
    tickets = []
    for plan, job in zip(plans, jobs, strict=True):
        ticket = Ticket(plan.run_name, job.job_id, str(plan.folder), digest(plan))
        path = home / "tickets" / f"{plan.run_name}.json"
        atomic_file.write(path, json.dumps(asdict(ticket)).encode())
        tickets.append(ticket)
    return tickets
