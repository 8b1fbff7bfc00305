"""`watt cancel RUNS`: end the SLURM jobs of a sweep that wait or run."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

from launchers import slurm_environment, slurm_state
from launchers.slurm_queue import elsewhere, is_live, is_submitting, of_this_cluster, read_tickets
from metering.record import FILE_NAME

_HAS_ENDED = re.compile(r"already complet|invalid job id", re.IGNORECASE)
"""What `scancel` says of a job that has ended by itself meanwhile."""


def cancel(output_dir: Path) -> int:
    """How many jobs were told to end. What they have measured is in their records. Raises
    `slurm_state.SlurmUnreachable`."""
    known = slurm_state.queued()
    tickets = of_this_cluster(read_tickets(output_dir)).values()
    job_ids = sorted({ticket.job_id for ticket in tickets if is_live(ticket, known)})
    for begin in range(0, len(job_ids), slurm_state.AT_ONCE):
        done = slurm_state.call("scancel", *job_ids[begin : begin + slurm_state.AT_ONCE])
        problems = [line for line in done.stderr.splitlines() if not _HAS_ENDED.search(line)]
        if done.returncode and problems:
            raise slurm_state.SlurmUnreachable(problems[0])
    return len(job_ids)


def num_of_others(output_dir: Path) -> int:
    """Jobs of other users that wait or run. Raises `slurm_state.SlurmUnreachable`."""
    tickets = of_this_cluster(read_tickets(output_dir)).values()
    own = slurm_state.queued()
    known = slurm_state.queued(
        ticket.job_id for ticket in tickets if not (Path(ticket.folder) / FILE_NAME).exists()
    )
    live = {ticket.job_id for ticket in tickets if is_live(ticket, known)}
    return len(live - own.keys())


def main() -> int:
    parser = argparse.ArgumentParser(prog="watt cancel", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", help="folders given as output_dir")
    folders = parser.parse_args().runs
    if shutil.which("scancel") is None:
        print("error: scancel is not on PATH; run this on a login node", file=sys.stderr)
        return 2
    if problem := slurm_environment.several_clusters():
        print(f"error: {problem}", file=sys.stderr)
        return 2
    for folder in folders:
        if not folder.is_dir():
            print(f"error: there is no folder {folder}; give an output_dir", file=sys.stderr)
            return 2
        try:
            number, others = cancel(folder), num_of_others(folder)
        except slurm_state.SlurmUnreachable as error:
            print(f"error: SLURM does not answer: {error}", file=sys.stderr)
            return 2
        print(f"{folder}: {number} job{'s' * (number != 1)} cancelled")
        if others:
            print(f"  {others} of other users go{'es' * (others == 1)} on")
        for name in elsewhere(folder):
            print(f"  jobs of cluster {name} go on; SLURM_CLUSTERS={name} watt cancel {folder}")
        if is_submitting(folder):
            print("  a command still submits jobs there; end it with Ctrl-C, then cancel again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
