"""Which run is in which job: submitted once, found again by the next call of the same command."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from filelock import FileLock, Timeout

from launchers import slurm_code, slurm_state, slurm_submit
from launchers.settings import SlurmSettings
from launchers.slurm_job import begun, ended_marker
from launchers.slurm_resources import group_key
from metering import atomic_file
from metering.record import FILE_NAME
from tasks.errors import PlanError
from tasks.plan import Plan

TURN_TOLD_AFTER_S = 5.0


@dataclass(frozen=True)
class Ticket:
    """A submitted run. identity: the name of its folder, which tells repetitions apart; before:
    digest of the record that lay there before submission, which tells this job's record from an
    older one without comparing clocks; number: of the run in its job; num_runs: of the job;
    cluster: the name of the job's, where it is known; what: data, batch and precision, in words."""

    identity: str
    job_id: str
    folder: str
    before: str
    number: int = 0
    num_runs: int = 1
    cluster: str = ""
    what: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether this run of its job has ended, though the job may go on with others."""
        return ended_marker(self.log.parent, self.job_id, self.number).exists()

    @property
    def never_began(self) -> bool:
        """Whether its job ended in a run before it, as the job's log tells."""
        try:
            log = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return begun(0) in log and begun(self.number) not in log

    @property
    def log(self) -> Path:
        """What the job printed, SLURM's own words among it."""
        return slurm_folder(Path(self.folder).parents[3]) / "jobs" / f"{self.job_id}.log"


@dataclass
class Submission:
    """tickets: by the run's name; num_new: of them, submitted now; refused: what SLURM says
    against each run that it did not take."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    num_new: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def slurm_folder(output_dir: Path) -> Path:
    """Logs, code and tickets of everything under `output_dir`."""
    return output_dir / ".slurm"


def digest(folder: Path) -> str:
    """Of the record as it lies in a run's folder now; empty when there is none."""
    try:
        return hashlib.sha256((folder / FILE_NAME).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def read_tickets(output_dir: Path) -> dict[str, Ticket]:
    """By identity: the newest ticket of each run. The folders are those under `output_dir` as it is
    called now: it may have been moved."""
    tickets = {}
    known = {entry.name for entry in fields(Ticket)}
    for path in (slurm_folder(output_dir) / "tickets").glob("*.json"):
        values = json.loads(path.read_text(encoding="utf-8"))
        ticket = Ticket(**{name: value for name, value in values.items() if name in known})
        folder = output_dir.absolute().joinpath(*Path(ticket.folder).parts[-4:])
        tickets[ticket.identity] = replace(ticket, folder=str(folder))
    return tickets


def of_this_cluster(tickets: Mapping[str, Ticket]) -> dict[str, Ticket]:
    """Without those of other clusters, whose job numbers mean other jobs here."""
    named = any(ticket.cluster for ticket in tickets.values())
    here = slurm_state.cluster_name() if named else ""
    return {
        name: ticket for name, ticket in tickets.items() if not here or ticket.cluster in {"", here}
    }


def of_plans(plans: Iterable[Plan], tickets: Mapping[str, Ticket]) -> dict[str, Ticket]:
    """Those of the runs of `plans` on this cluster, by the run's name."""
    names = {plan.run_name for plan in plans}
    return of_this_cluster({name: ticket for name, ticket in tickets.items() if name in names})


def elsewhere(output_dir: Path) -> list[str]:
    """Other clusters that runs which have no record yet were submitted to."""
    tickets = read_tickets(output_dir)
    here = of_this_cluster(tickets)
    left = [ticket for name, ticket in tickets.items() if name not in here]
    return sorted(
        {ticket.cluster for ticket in left if not (Path(ticket.folder) / FILE_NAME).exists()}
    )


def is_live(ticket: Ticket, known: Mapping[str, slurm_state.Queued]) -> bool:
    """Whether the ticket's job waits or runs."""
    job = known.get(ticket.job_id)
    return job is not None and not job.has_ended


def submit(plans: Sequence[Plan], settings: SlurmSettings) -> Submission:
    """Submit what is not queued, arrays for each group of equal resources. Two submitters take
    turns. Raises `slurm_state.SlurmUnreachable`."""
    output_dir = plans[0].output_dir
    home = slurm_folder(output_dir)
    for name in ("tickets", "jobs"):
        (home / name).mkdir(parents=True, exist_ok=True)
    with _turn(home):
        tickets = of_plans(plans, read_tickets(output_dir))
        known = slurm_submit.queued(settings, [ticket.job_id for ticket in tickets.values()])
        live = {name: ticket for name, ticket in tickets.items() if is_live(ticket, known)}
        names = [plan.run_name for plan in plans]
        submission = Submission({name: live[name] for name in names if name in live})
        new = [plan for plan in plans if plan.run_name not in live]
        groups: dict[str, list[Plan]] = {}
        for plan in new:
            groups.setdefault(group_key(plan.hardware), []).append(plan)
        copy = slurm_code.copied(home, new) if new else None
        for group in groups.values():
            assert copy is not None
            _submit_group(group, home, settings, copy, submission)
    return submission


@contextmanager
def _turn(home: Path) -> Iterator[None]:
    """Of several submitters one at a time; the others may wait until the queue has room."""
    lock = FileLock(home / ".lock")
    try:
        lock.acquire(timeout=TURN_TOLD_AFTER_S)
    except Timeout:
        print(f"another command submits to {home.parent}; waiting for it", file=sys.stderr)
        lock.acquire(timeout=-1)
    try:
        yield
    finally:
        lock.release()


def is_submitting(output_dir: Path) -> bool:
    """Whether a command is at it now."""
    lock = slurm_folder(output_dir) / ".lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except PermissionError:  # another user's folder
        return False
    except Timeout:
        return True


def _submit_group(
    plans: list[Plan],
    home: Path,
    settings: SlurmSettings,
    copy: slurm_code.Copy,
    submission: Submission,
) -> None:
    """A refusal leaves the other groups alone. Each ticket is there as soon as SLURM has the job:
    a submitter that is ended in between forgets none."""
    before = {plan.run_name: digest(plan.folder) for plan in plans}
    cluster = slurm_state.cluster_name()
    try:
        for runs in slurm_submit.submit(plans, home, settings, copy):
            num_runs = Counter(run.job_id for run in runs)
            for run in runs:
                name = run.plan.run_name
                ticket = Ticket(
                    identity=name,
                    job_id=run.job_id,
                    folder=str(run.plan.folder),
                    before=before[name],
                    number=run.number,
                    num_runs=num_runs[run.job_id],
                    cluster=cluster,
                    what=run.plan.in_words,
                )
                content = json.dumps(asdict(ticket)).encode()
                atomic_file.write(home / "tickets" / f"{name}.json", content)
                submission.tickets[name] = ticket
                submission.num_new += 1
    except (slurm_submit.Refused, PlanError) as error:
        for plan in plans:
            if plan.run_name not in submission.tickets:
                is_ours = isinstance(error, PlanError)
                submission.refused[plan.run_name] = f"{'' if is_ours else 'SLURM refuses: '}{error}"
