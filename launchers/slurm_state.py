"""What SLURM says of jobs, with accounting (`sacct`) and without (`squeue`, `scontrol`)."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from launchers import slurm_environment

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
FROM_OUTSIDE = ENDED - {"COMPLETED", "FAILED", "OUT_OF_MEMORY"}
"""Ends that are no fault of the run."""
AT_ONCE = 500  # job ids in a command line, which is of limited length
_NOTHING = {"", "None", "(null)", "N/A", "Unknown"}
SLOW = (
    "timed out", "unable to contact", "not responding", "temporarily", "connection refused",
    "communication connection failure", "zero bytes were transmitted", "connection reset",
    "unexpected message", "does not answer", "communications connection", "fetch config",
)  # fmt: skip
"""What a controller that is slow, restarting or far away makes SLURM's commands say."""


@dataclass(frozen=True)
class JobState:
    """`state`: SLURM's word, UNKNOWN when nobody remembers the job,
    NO_ANSWER when nobody can be asked; `exit_code`: status:signal;
    energy_kwh: of the whole job, by the site's accounting."""

    state: str
    reason: str = ""
    exit_code: str = ""
    node: str = ""
    energy_kwh: float | None = None

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED or self.state == "UNKNOWN"

    def __str__(self) -> str:
        parts = [self.state]
        if self.reason not in _NOTHING:
            parts.append(f"reason {self.reason}")
        status, _, signal = self.exit_code.partition(":")
        if signal not in {"", "0"}:
            parts.append(f"killed by signal {signal}")
        elif status not in {"", "0"}:
            parts.append(f"exit status {status}")
        if self.node not in _NOTHING:
            parts.append(f"on {self.node}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Queued:
    """A job that the controller knows. start: when it began, or is expected to; `N/A` where the
    scheduler has not planned it; time_used: as SLURM prints it; command: the file that `sbatch` was
    given."""

    state: str
    reason: str = ""
    node: str = ""
    time_used: str = ""
    start: str = ""
    partition: str = ""
    command: str = ""

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class SlurmUnreachable(RuntimeError):
    """The controller does not answer; nothing is known of any job."""


_FIELDS = "%F|%K|%T|%r|%N|%M|%S|%P|%o"


def queued(job_ids: Iterable[str] = ()) -> dict[str, Queued]:
    """By job id (`12`, `12_3`), what the controller still knows: this user's jobs, and of `job_ids`
    those of others who submit in the same folder."""
    jobs = _listed("-u", str(os.getuid()))  # by number: LOGNAME names somebody else after `su`
    others = sorted({job_id.partition("_")[0] for job_id in job_ids if job_id not in jobs})
    for begin in range(0, len(others), AT_ONCE):
        with suppress(SlurmUnreachable):  # as squeue fails where it knows none of them
            jobs |= _listed("-j", ",".join(others[begin : begin + AT_ONCE]))
    return jobs


def _listed(*which: str) -> dict[str, Queued]:
    done = call("squeue", "-h", "-r", "-t", "all", *which, "-o", _FIELDS)
    if done.returncode:
        raise SlurmUnreachable(_first_line(done.stderr))
    jobs = {}
    for line in done.stdout.splitlines():
        job, index, state, reason, node, used, start, partition, command = line.split("|", 8)
        name = f"{job.strip()}_{index}" if index.isdigit() else job.strip()
        jobs[name] = Queued(state, reason, node, used, start, partition, command.strip())
    return jobs


def positions() -> dict[str, tuple[int, str]]:
    """Of every waiting job its place in its partition's order of priority, from 1, and the
    partition. Empty where nobody tells."""
    done = call("squeue", "-h", "-r", "-t", "PD", "--sort=-p,i", "-o", "%F|%K|%P")
    places: dict[str, tuple[int, str]] = {}
    counts: dict[str, int] = {}
    for line in done.stdout.splitlines() if done.returncode == 0 else ():
        job, index, partition = line.strip().split("|")
        counts[partition] = counts.get(partition, 0) + 1
        name = f"{job}_{index}" if index.isdigit() else job
        places[name] = (counts[partition], partition)
    return places


def look_up(job_id: str) -> JobState:
    """The controller's word while it remembers the job, then the accounting's. A controller that
    does not answer has not forgotten the job."""
    shown = _shown(job_id)
    values = _fields(shown.stdout)
    if values:
        return JobState(
            values["JobState"],
            values.get("Reason", ""),
            values.get("ExitCode", ""),
            values.get("BatchHost") or values.get("NodeList") or "",
        )
    forgotten = JobState("NO_ANSWER" if is_slow(shown.stderr) else "UNKNOWN")
    return accounted([job_id]).get(job_id, forgotten)


def show(job_id: str) -> dict[str, str]:
    """`scontrol show job`: its fields by name; empty where the controller knows no such job.
    Raises `FileNotFoundError` where there is no scontrol."""
    return _fields(_shown(job_id).stdout)


def _shown(job_id: str) -> subprocess.CompletedProcess[str]:
    return call("scontrol", "show", "job", "-o", job_id)


def _fields(shown: str) -> dict[str, str]:
    """Of the first job. A name of the user's may hold `=` and blanks: the first word counts."""
    if "JobState=" not in shown:
        return {}
    return dict(reversed(re.findall(r"(\S+?)=(\S*)", shown.splitlines()[0])))


def accounted(job_ids: Sequence[str]) -> dict[str, JobState]:
    """What the accounting has of these jobs; nothing where there is none."""
    fields = "JobID,State,Reason,ExitCode,NodeList,ConsumedEnergyRaw"
    states = {}
    for begin in range(0, len(job_ids), AT_ONCE):
        ids = ",".join(job_ids[begin : begin + AT_ONCE])
        try:
            kept = call("sacct", *_of_cluster(), "-X", "-n", "-P", "-j", ids, "-o", fields)
        except FileNotFoundError:
            return {}
        for line in kept.stdout.splitlines() if kept.returncode == 0 else ():
            job_id, state, reason, exit_code, node, joules, *_ = [*line.split("|"), "", "", ""]
            word = state.split(maxsplit=1)[0] if state else "UNKNOWN"  # CANCELLED by 1000
            states[job_id] = JobState(word, reason, exit_code, node, _kwh(joules))
    return states


def earlier_end(job_id: str) -> str | None:
    """How the attempt before the last one of a job ended, such as NODE_FAIL; None where the
    accounting does not tell."""
    try:
        options = ("-D", "-X", "-n", "-P", "-j", job_id, "-o", "State")
        kept = call("sacct", *_of_cluster(), *options)
    except FileNotFoundError:
        return None
    words = [line.split(maxsplit=1)[0] for line in kept.stdout.splitlines() if line.strip()]
    return words[-2] if kept.returncode == 0 and len(words) > 1 else None


def _of_cluster() -> tuple[str, ...]:
    """`sacct` alone does not look at SLURM_CLUSTERS."""
    named = slurm_environment.named_cluster()
    return ("-M", named) if named else ()


def _kwh(joules: str) -> float | None:
    """None for what no plugin has read: nothing, zero, or SLURM's numbers for "no value"."""
    if not joules.isdigit() or int(joules) in {0, 2**32 - 2, 2**64 - 2}:
        return None
    return int(joules) / 3.6e6


def config_value(name: str) -> str | None:
    """A setting of the cluster, as `scontrol show config` has it; None where it does not say."""
    try:
        shown = call("scontrol", "show", "config")
    except FileNotFoundError:
        return None
    match = re.search(rf"^{name}\s*=\s*(.*?)\s*$", shown.stdout, re.MULTILINE)
    return match.group(1) if match else None


def cluster_name() -> str:
    """Of the cluster that SLURM's commands ask; empty where it does not say."""
    return config_value("ClusterName") or ""


def federation_member() -> str:
    """This cluster's name where it is in a federation, else empty."""
    try:
        shown = call("scontrol", "show", "federation")
    except FileNotFoundError:
        return ""
    match = re.search(r"^Self:\s+([^:\s]+):", shown.stdout, re.MULTILINE)
    return match.group(1) if match else ""


def seconds(text: str) -> float:
    """`[days-]hours:minutes:seconds`; infinite where there is no limit."""
    days, _, rest = text.rpartition("-")
    try:
        hours, minutes, seconds = (int(part) for part in rest.split(":"))
        return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
    except ValueError:
        return float("inf")


def call(
    *command: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One of SLURM's commands; one that hangs counts as one that fails. A Ctrl-C is for us, who
    have to know what came of it."""
    try:
        return subprocess.run(
            command,
            env=slurm_environment.for_queries() if environment is None else environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]} does not answer")


def is_slow(message: str) -> bool:
    """Whether a command failed since the controller is slow, restarting or far away."""
    return any(words in message.lower() for words in SLOW)


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]
