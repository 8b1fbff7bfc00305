"""`python -m launchers.status RUNS`: what is done, running, queued, failed or missing."""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from pathlib import Path

from launchers import slurm_state
from launchers.slurm_queue import Ticket, read_tickets
from metering.record import FILE_NAME, RecordError
from metering.record_file import read


def lines(output_dir: Path) -> list[str]:
    """One line per run that has a record or was submitted, and a count of each state."""
    tickets = read_tickets(output_dir)
    known = slurm_state.queued() if tickets and shutil.which("squeue") else {}
    by_folder = {Path(ticket.folder).resolve(): ticket for ticket in tickets.values()}
    folders = {path.parent.resolve() for path in output_dir.glob(f"*/*/*/*/{FILE_NAME}")}
    rows = []
    for folder in sorted(folders | set(by_folder)):
        ticket = by_folder.get(folder)
        job = f" job {ticket.job_id}" if ticket else ""
        rows.append((_state(folder, ticket, known), f"{'/'.join(folder.parts[-4:])}{job}"))
    counts = Counter(state.split(":")[0] for state, _ in rows)
    total = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    return [*(f"{state:<12} {name}" for state, name in rows), total or "no runs"]


def _state(folder: Path, ticket: Ticket | None, known: dict[str, str]) -> str:
    word = known.get(ticket.job_id) if ticket else None
    if word is not None and word not in slurm_state.ENDED:
        return word.lower()
    try:
        return read(folder / FILE_NAME).status
    except FileNotFoundError:
        return "missing"
    except RecordError as error:
        return f"unreadable: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m launchers.status", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders given as output_dir")
    for folder in parser.parse_args().runs:
        print("\n".join(lines(folder)))


if __name__ == "__main__":
    main()
