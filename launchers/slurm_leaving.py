"""Why SLURM asks a run to end, and what the run does about it once its record is written.

time limit is near        the run had all of it      it cannot fit: it ends here and says so
                          other runs went before     back into the queue
pre-emption with notice   partition or QOS requeues  back into the queue
                          partition or QOS cancels   it ends here
a warning of the site     SIGUSR1                    back into the queue
stopped for another job   SIGTSTP, then SIGSTOP      back into the queue once it goes on
SLURM has decided         scancel, node, requeue     it ends here; SLURM does what it does

Where SLURM cannot be asked (a container without scontrol, a controller that is down) the time limit
is known from the environment, a run that is asked to end stays until SLURM ends it, and the job's
script, outside of a container, puts the job back into the queue.
"""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from launchers import slurm_state
from launchers.slurm_resources import LATE_S
from metering.record import Failure
from metering.scheduler import job_id

STARTS_WITHIN = (0.3, 30.0)  # share of the job's time, seconds: the more of both goes before a run
WORD_WITHIN_S = 3.0  # for SLURM's word to appear in the job's log
STAYS_S = 3600.0


@dataclass(frozen=True)
class Rules:
    """Of the sweep. signal_delay_s: how long before the time limit SLURM warns."""

    requeue: bool
    max_requeues: int
    signal_delay_s: int
    time_min: int | None


@dataclass(frozen=True)
class Leaving:
    """failure: for the record; is_last: a requeue of the job must not begin this run again."""

    failure: Failure
    requeues: bool = False
    stays: bool = False
    is_last: bool = False

    def act(self, folder: Path) -> None:
        """folder: of the job's log."""
        if self.requeues:
            requeue(folder)
        elif self.stays:  # leaving now would look like a failure, and pre-emption not be followed
            time.sleep(STAYS_S)


def requeue(folder: Path) -> None:
    """Put this job back into the queue, which ends it here. Where there is no scontrol, or no
    answer, the job's script does it, told by a file in the folder of its log."""
    try:
        while slurm_state.show(job_id()).get("JobState") == "SUSPENDED":
            time.sleep(1.0)  # put back now, it would be held until an admin releases it
        is_done = slurm_state.call("scontrol", "requeue", job_id()).returncode == 0
    except FileNotFoundError:
        is_done = False
    if not is_done:
        (folder / f"{job_id()}.requeue").touch()


_KINDS = {
    "": "CANCELLED",
    "PREEMPTION": "PREEMPTED",
    "TIME LIMIT": "TIMEOUT",
    "NODE FAILURE": "NODE_FAIL",
    "JOB REQUEUE": "Requeued",
}


class JobLog:
    """What SLURM writes into a job's log from now on: `*** JOB 5 ON p1 CANCELLED AT ... DUE TO
    PREEMPTION ***`."""

    _WORD = re.compile(r"\*\*\* (?:JOB|STEP) \S+ ON \S+ CANCELLED AT \S+(?: DUE TO (.+?))? \*\*\*")

    def __init__(self, path: Path) -> None:
        self._path, self.folder = path, path.parent
        self._begins_at = path.stat().st_size if path.exists() else 0

    def end(self, within_s: float | None = None) -> str | None:
        """Why SLURM ends the job, as `JobState` has it; None where it has not said."""
        deadline = time.monotonic() + (WORD_WITHIN_S if within_s is None else within_s)
        while True:
            text = self._path.read_bytes()[self._begins_at :] if self._path.exists() else b""
            reasons = self._WORD.findall(text.decode("utf-8", "replace"))
            if reasons:
                words = max(reasons, key=len)  # of job and step, of which one may say less
                words = words.partition(",")[0]  # NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS
                return _KINDS.get(words, words)
            if time.monotonic() > deadline:
                return None
            time.sleep(0.2)


def find_reason(number: int, own_s: float, rules: Rules, log: JobLog) -> Leaving:
    """number: of the signal; own_s: how long ago this run began, seconds."""
    if number == signal.SIGTSTP:
        return _again("Suspended", f"SLURM suspended job {job_id()}", rules)
    return _asked_to_end(number, own_s, rules, log)


def _asked_to_end(number: int, own_s: float, rules: Rules, log: JobLog) -> Leaving:
    name = signal.Signals(number).name
    try:
        job = slurm_state.show(job_id())
    except FileNotFoundError:
        return _not_told(number, own_s, rules, log, "scontrol is not on PATH to tell why")
    if not job:
        return _not_told(number, own_s, rules, log, "SLURM does not answer to tell why")
    state = job.get("JobState", "")
    if state == "RUNNING" and job.get("PreemptTime", "None") not in {"None", "N/A", "Unknown"}:
        return _preempted(job, rules)
    if state == "RUNNING" and number != signal.SIGTERM:
        limit_s = slurm_state.seconds(job.get("TimeLimit", ""))
        run_time_s = slurm_state.seconds(job.get("RunTime", ""))
        left_s = _left_s(job.get("EndTime", ""), limit_s - run_time_s)
        if number == signal.SIGUSR2 and left_s <= rules.signal_delay_s + LATE_S:
            return _time_limit(limit_s, run_time_s, own_s, rules)
        return _warned(name, rules)
    if state not in slurm_state.FROM_OUTSIDE:  # such as COMPLETING, whatever comes after it
        state = log.end() or "EndedBySlurm"
    known = f"SLURM ended job {job_id()}: {state}"
    came = f"{name} came in job {job_id()}"
    return Leaving(_failure(state, came if state == "EndedBySlurm" else known))


def _left_s(end: str, by_limit_s: float) -> float:
    """Seconds until the job's EndTime, which may have been changed since and knows no whole
    minutes; where there is none, what its limit leaves."""
    try:
        return min(by_limit_s, datetime.fromisoformat(end).timestamp() - time.time())
    except ValueError:
        return by_limit_s


def _not_told(number: int, own_s: float, rules: Rules, log: JobLog, unknown: str) -> Leaving:
    name = signal.Signals(number).name
    if number == signal.SIGTERM:
        kind = log.end() or "EndedBySlurm"
        return Leaving(_failure(kind, f"{name} came in job {job_id()}; {unknown}"), stays=True)
    began, ends = (os.environ.get(f"SLURM_JOB_{edge}_TIME", "") for edge in ("START", "END"))
    if number == signal.SIGUSR2 and began.isdigit() and (ends.isdigit() or rules.time_min):
        limit_s = int(ends) - int(began) if ends.isdigit() else 60 * (rules.time_min or 0)
        run_time_s = time.time() - int(began)
        if limit_s - run_time_s <= rules.signal_delay_s + LATE_S:
            return _time_limit(limit_s, run_time_s, own_s, rules)
    return _warned(f"{name} ({unknown})", rules)


def _preempted(job: dict[str, str], rules: Rules) -> Leaving:
    again = rules.requeue and _preempt_mode(job) == "REQUEUE"
    end = "it goes back into the queue" if again else "it is cancelled"
    text = f"SLURM pre-empted job {job_id()} (partition {job.get('Partition')}, "
    text += f"QOS {job.get('QOS', 'none')}): {end}"
    return Leaving(_failure("PREEMPTED", text), requeues=again)


def _preempt_mode(job: dict[str, str]) -> str:
    """What the site does with a pre-empted job: of its QOS or partition, as the site pre-empts."""
    own = ""
    if "qos" in (slurm_state.config_value("PreemptType") or ""):
        try:
            own = slurm_state.call(
                "sacctmgr", "-n", "-P", "show", "qos", job.get("QOS", ""), "format=PreemptMode"
            ).stdout.strip()
        except FileNotFoundError:
            own = ""
    else:
        name = job.get("Partition", "").partition(",")[0]
        shown = slurm_state.call("scontrol", "show", "partition", "-o", name).stdout
        own = next((w.partition("=")[2] for w in shown.split() if w.startswith("PreemptMode=")), "")
    if own.lower() in {"", "cluster"}:
        own = slurm_state.config_value("PreemptMode") or ""
    return own.upper().split(",")[-1]


def _time_limit(limit_s: float, run_time_s: float, own_s: float, rules: Rules) -> Leaving:
    """run_time_s: how long ago the job began. The limit may have been changed since it was asked
    for."""
    minutes = round(limit_s / 60)
    text = f"job {job_id()} met its time limit of {minutes} min (hardware.slurm.time_min)"
    share, least_s = STARTS_WITHIN
    if run_time_s - own_s > max(share * run_time_s, least_s):
        if rules.requeue and _num_restarts() < rules.max_requeues:
            return Leaving(_failure("TIMEOUT", f"{text}; it goes on with this run"), requeues=True)
        return Leaving(_failure("TIMEOUT", text))
    cure = "the run had all of it and does not fit; raise it, or lower meter.time_budget_s"
    return Leaving(_failure("TIMEOUT", f"{text}; {cure}"), is_last=True)


def _warned(name: str, rules: Rules) -> Leaving:
    return _again("Warned", f"{name} warned job {job_id()} that it will end", rules)


def _again(kind: str, text: str, rules: Rules) -> Leaving:
    if not rules.requeue:
        return Leaving(_failure(kind, f"{text}; hardware.slurm.requeue=false"))
    if _num_restarts() >= rules.max_requeues:
        return Leaving(_failure(kind, f"{text} after {rules.max_requeues} restarts"))
    return Leaving(_failure(kind, f"{text}; it goes back into the queue"), requeues=True)


def _failure(kind: str, message: str) -> Failure:
    return Failure(type=kind, message=message)


def _num_restarts() -> int:
    return int(os.environ.get("SLURM_RESTART_COUNT") or 0)
