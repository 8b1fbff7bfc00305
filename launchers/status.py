"""`watt status RUNS`: what is done, running, queued, failed or missing, and why."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from metering import missing_package

try:
    from filelock import FileLock, Timeout

    from launchers import slurm_environment, slurm_state
    from launchers.slurm_queue import Ticket, is_live, of_this_cluster, read_tickets
    from launchers.slurm_settle import with_job_end
    from launchers.slurm_state import Queued
    from launchers.slurm_wait import cure, final_states, over_limits
    from metering.record import FILE_NAME, Record, RecordError
    from metering.record_file import read
except ModuleNotFoundError as error:
    missing_package.leave(error, __name__)


@dataclass(frozen=True)
class _Queue:
    """jobs: by id; places: of waiting jobs in a partition; over: of arrays that ask for more than
    a limit allows, in words, by id."""

    jobs: Mapping[str, Queued] = field(default_factory=dict)
    places: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    over: Mapping[str, str] = field(default_factory=dict)


def lines(output_dir: Path) -> list[str]:
    """One line per run that has a record or was submitted, and a count of each state."""
    tickets = here = read_tickets(output_dir)
    queue = _Queue()
    notes = []
    if tickets and shutil.which("squeue"):
        try:
            queue, here = _queue(tickets), of_this_cluster(tickets)
        except slurm_state.SlurmUnreachable as error:
            notes.append(f"SLURM does not answer ({error}): what is queued is not shown")
        else:
            _fill_in(here, queue.jobs)
    by_folder = {Path(ticket.folder).resolve(): ticket for ticket in tickets.values()}
    folders = {path.parent.resolve() for path in output_dir.glob(f"*/*/*/*/{FILE_NAME}")}
    rows = []
    for folder in sorted(folders | set(by_folder)):
        ticket = by_folder.get(folder)
        job = f" job {ticket.job_id}" if ticket else ""
        what = f" ({ticket.what})" if ticket and ticket.what else ""
        is_here = ticket is None or ticket.identity in here
        state, detail = _state(folder, ticket, queue if is_here else _Queue())
        if state == "missing" and ticket is not None and not is_here:
            name = ticket.cluster
            state, detail = "elsewhere", f"cluster {name}; ask there, or with SLURM_CLUSTERS={name}"
        rows.append((state, f"{'/'.join(folder.parts[-4:])}{what}{job}{detail and ': ' + detail}"))
    counts = Counter(state for state, _ in rows)
    total = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    return [*(f"{state:<12} {name}" for state, name in rows), *notes, total or "no runs"]


def _queue(tickets: Mapping[str, Ticket]) -> _Queue:
    without_record = [
        ticket.job_id
        for ticket in tickets.values()
        if not (Path(ticket.folder) / FILE_NAME).exists()
    ]
    jobs = slurm_state.queued(without_record)
    ids = {ticket.job_id for ticket in tickets.values()} & jobs.keys()
    over = over_limits(
        {job_id: jobs[job_id].reason for job_id in ids if jobs[job_id].state == "PENDING"}
    )
    by_array = {job_id.partition("_")[0]: words for job_id, words in over.items()}
    return _Queue(jobs, slurm_state.positions(), by_array)


def _fill_in(tickets: Mapping[str, Ticket], known: Mapping[str, Queued]) -> None:
    """How jobs ended, and the energy that the site accounts for, into the records of runs that
    nobody has waited for."""
    ended = [ticket for ticket in tickets.values() if not is_live(ticket, known)]
    untold = [ticket for ticket in ended if _is_untold(_record(ticket))]
    states = final_states({ticket.job_id for ticket in untold}, known)
    late = [ticket for ticket in ended if ticket not in untold and _has_no_energy(_record(ticket))]
    kept = slurm_state.accounted([ticket.job_id for ticket in late]) if late else {}
    untold += [
        ticket
        for ticket in late
        if (job := kept.get(ticket.job_id)) and job.energy_kwh is not None and job.has_ended
    ]
    states = {**kept, **states}
    for ticket in untold:
        folder = Path(ticket.folder)
        with suppress(OSError, Timeout), FileLock(folder / ".lock", timeout=0):
            record = _record(ticket)
            if record is not None and states[ticket.job_id].has_ended:
                with_job_end(record, folder, ticket, states[ticket.job_id])


def _record(ticket: Ticket) -> Record | None:
    try:
        return read(Path(ticket.folder) / FILE_NAME)
    except (OSError, RecordError):
        return None


def _is_untold(record: Record | None) -> bool:
    return record is not None and record.scheduler is not None and record.scheduler.state is None


def _has_no_energy(record: Record | None) -> bool:
    """The accounting of a busy site hears of a job's end late."""
    return (
        record is not None and record.scheduler is not None and record.scheduler.energy_kwh is None
    )


def _state(
    folder: Path,
    ticket: Ticket | None,
    queue: _Queue,
) -> tuple[str, str]:
    """A word and what is known beside it."""
    job = queue.jobs.get(ticket.job_id) if ticket else None
    if ticket is not None and job is not None and not (job.has_ended or ticket.has_ended):
        if ticket.never_began:
            return "waiting", f"for other runs of its job, {_of_job(job, queue, ticket)}"
        return job.state.lower(), _of_job(job, queue, ticket)
    log = f"; log: {ticket.log}" if ticket is not None else ""
    try:
        record = read(folder / FILE_NAME)
    except FileNotFoundError:
        ended = f"its job has ended ({job.state})" if job is not None else "no record"
        return "missing", f"{ended}{_last_line(ticket)}{log}"
    except RecordError as error:
        return "unreadable", str(error)
    if record.status == "finished":
        node = record.scheduler.node_list if record.scheduler else None
        return "finished", f"on {node}" if node else ""
    message = record.failure.message if record.failure else ""
    first = (message.splitlines() or [""])[0]
    return record.status, first if "; log: " in first else f"{first}{log}"


def _last_line(ticket: Ticket | None) -> str:
    try:
        text = ticket.log.read_text(encoding="utf-8", errors="replace") if ticket else ""
    except OSError:
        text = ""
    lines = text.strip().splitlines()
    return f": {lines[-1]}" if lines else ""


def _of_job(job: Queued, queue: _Queue, ticket: Ticket) -> str:
    if job.state != "PENDING":
        return f"on {job.node}, {job.time_used}; log: {ticket.log}"
    parts = [job.reason]
    place = queue.places.get(ticket.job_id)
    if place is not None:
        parts.append(f"place {place[0]} in partition {place[1]}")
    if job.start not in {"", "N/A"}:
        parts.append(f"expected to start {job.start}")
    of_reason = (cure(job.reason) or "").replace("JOB", ticket.job_id)
    advice = of_reason or queue.over.get(ticket.job_id.partition("_")[0])
    if advice:
        parts.append(f"does not start by itself: {advice}")
    return ", ".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(prog="watt status", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders given as output_dir")
    folders = parser.parse_args().runs
    if problem := slurm_environment.several_clusters():
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for folder in folders:
        if not folder.is_dir():
            print(f"error: there is no folder {folder}; give an output_dir", file=sys.stderr)
            return 2
        print("\n".join(lines(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
