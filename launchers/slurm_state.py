"""What SLURM says of a job, with accounting (`sacct`) and without (`squeue`, `scontrol`)."""

from __future__ import annotations

import getpass
import re
import subprocess
from dataclasses import dataclass

ENDED = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "TIMEOUT",
        "REVOKED",
    }
)


@dataclass(frozen=True)
class JobState:
    """`state`: SLURM's word, UNKNOWN when nobody remembers the job; `exit_code`: status:signal."""

    state: str
    reason: str = ""
    exit_code: str = ""
    node: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED or self.state == "UNKNOWN"

    def __str__(self) -> str:
        parts = [self.state]
        if self.reason not in {"", "None", "(null)"}:
            parts.append(f"reason {self.reason}")
        if self.exit_code:
            status, _, signal = self.exit_code.partition(":")
            parts.append(
                f"killed by signal {signal}" if signal not in {"", "0"} else f"exit status {status}"
            )
        if self.node not in {"", "(null)"}:
            parts.append(f"on {self.node}")
        return ", ".join(parts)


class SlurmUnreachable(RuntimeError):
    """The controller does not answer; nothing is known of any job."""


def queued() -> dict[str, str]:
    """State by job id (`12`, `12_3`) of this user's jobs that the controller still knows."""
    done = _call("squeue", "-h", "-r", "-t", "all", "-u", getpass.getuser(), "-o", "%F|%K|%T")
    if done.returncode:
        raise SlurmUnreachable(done.stderr.strip())
    states = {}
    for line in done.stdout.splitlines():
        job, index, state = line.strip().split("|")
        states[f"{job}_{index}" if index.isdigit() else job] = state
    return states


def look_up(job_id: str) -> JobState:
    """The controller's word while it remembers the job, then the accounting's."""
    shown = _call("scontrol", "show", "job", "-o", job_id)
    if shown.returncode == 0 and "JobState=" in shown.stdout:
        values = dict(re.findall(r"(\S+?)=(\S*)", shown.stdout.splitlines()[0]))
        return JobState(
            values["JobState"],
            values.get("Reason", ""),
            values.get("ExitCode", ""),
            values.get("BatchHost") or values.get("NodeList") or "",
        )
    try:
        kept = _call(
            "sacct", "-X", "-n", "-P", "-j", job_id, "-o", "State,Reason,ExitCode,NodeList"
        )
    except FileNotFoundError:
        return JobState("UNKNOWN")
    if kept.returncode or not kept.stdout.strip():
        return JobState("UNKNOWN")
    state, reason, exit_code, node = kept.stdout.splitlines()[0].split("|")
    return JobState(state.split()[0], reason, exit_code, node)


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
