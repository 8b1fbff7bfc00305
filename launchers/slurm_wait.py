"""Wait for submitted runs, and tell once a minute how many of them wait for what."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Mapping

from launchers import slurm_limits, slurm_state
from launchers.settings import SlurmSettings
from launchers.slurm_limits import BY_LIMIT
from launchers.slurm_queue import Ticket, is_live
from launchers.slurm_settle import settle
from launchers.slurm_state import JobState, Queued
from tasks.plan import Plan
from tasks.running.execute import Outcome

TELLS_EVERY_S = 60.0
MOST_EXAMINED = 5  # arrays that wait for one limit: each takes four calls of scontrol
MOST_LISTED = 20  # job ids in one line
STUCK = {
    "JobHeldUser": "scontrol release JOB",
    "JobHeldAdmin": "ask the site's admin",
    "launch failed requeued held": "a node could not start it; scontrol release JOB",
    "PartitionTimeLimit": "lower hardware.slurm.time_min",
    "PartitionConfig": "lower hardware.slurm.time_min or hardware.nodes",
    "PartitionNodeLimit": "lower hardware.nodes",
    "PartitionDown": "choose another hardware.slurm.partition",
    "PartitionInactive": "choose another hardware.slurm.partition",
    "BadConstraints": "change hardware.slurm.constraint",
    "InvalidAccount": "change hardware.slurm.account",
    "AccountNotAllowed": "change hardware.slurm.account",
    "InvalidQOS": "change hardware.slurm.qos",
    "QOSNotAllowed": "change hardware.slurm.qos",
    "MaxMemPerLimit": "lower hardware.slurm.mem_gb",
    "DependencyNeverSatisfied": "watt cancel",
}
"""Reasons for which a job does not start by itself, and the cure."""
_LEAST = re.compile(r"(?:QOS|Assoc)Min")
_PER_JOB = re.compile(r"(?:QOS|Assoc)Max(\w+?)(?:RunMins)?PerJob(?:Limit)?")

_BUDGET = re.compile(r"(?:QOS|Assoc)Grp(?!\w*Run)\w*(?:Minutes|Wall)\w*")
_NODES_MISSING = ("Nodes required for job are DOWN", "ReqNodeNotAvail")
_PER_USER = re.compile(r"(?:QOS|Assoc)Max\w+PerUser")


def cure(reason: str) -> str | None:
    """What to do about a job that waits for `reason`; None where it starts by itself in time."""
    if _BUDGET.fullmatch(reason):
        return "its QOS or account has used its minutes up; ask the site's admin"
    if _LEAST.match(reason):
        return "a job of this QOS has to ask for more; change hardware.slurm or its qos"
    limit = _PER_JOB.fullmatch(reason)
    if limit is None:
        return STUCK.get(reason)
    if "Wall" in limit.group(1):
        return "lower hardware.slurm.time_min"
    return f"one job may not ask for so much ({limit.group(1)}); change hardware.slurm"


def wait_for(
    plans: Mapping[str, Plan], tickets: Mapping[str, Ticket], settings: SlurmSettings
) -> dict[str, Outcome]:
    """Every run's outcome, by name, once all have ended. A controller that does not answer is
    waited for."""
    outcomes: dict[str, Outcome] = {}
    told_s, stuck = time.monotonic(), set[str]()
    while True:
        try:
            known = slurm_state.queued(
                ticket.job_id for name, ticket in tickets.items() if name not in outcomes
            )
        except slurm_state.SlurmUnreachable as error:
            print(f"SLURM does not answer ({error}); still waiting", file=sys.stderr, flush=True)
            time.sleep(settings.poll_s)
            continue
        ended = [
            name
            for name in plans
            if name in tickets and name not in outcomes and not is_live(tickets[name], known)
        ]
        ended_at_s = time.monotonic()
        states = final_states({tickets[name].job_id for name in ended}, known)
        for name in ended:
            state = states[tickets[name].job_id]
            if state.has_ended:  # else it came back between two looks
                outcomes[name] = settle(plans[name], tickets[name], state, settings, ended_at_s)
                print(_end_line(plans[name], tickets[name], state), flush=True)
        left = {name: tickets[name] for name in plans if name in tickets.keys() - outcomes.keys()}
        if not left:
            return outcomes
        now_stuck = _stuck_reasons(left, known)
        if time.monotonic() - told_s >= TELLS_EVERY_S or now_stuck - stuck:
            told_s, stuck = time.monotonic(), stuck | now_stuck
            print("\n".join(progress_lines(left, known, len(outcomes))), flush=True)
        time.sleep(settings.poll_s)


def final_states(job_ids: set[str], known: Mapping[str, Queued]) -> dict[str, JobState]:
    """How each job has ended. All are asked of the accounting at once; the controller is asked
    for each that did not end well."""
    kept = slurm_state.accounted(sorted(job_ids)) if job_ids else {}
    states = {}
    for job_id in job_ids:
        job, in_accounts = known.get(job_id), kept.get(job_id)
        if job is not None and job.state == "COMPLETED":
            energy_kwh = in_accounts.energy_kwh if in_accounts else None
            states[job_id] = JobState("COMPLETED", node=job.node, energy_kwh=energy_kwh)
        elif job is None and in_accounts is not None and in_accounts.has_ended:
            states[job_id] = in_accounts
        else:
            states[job_id] = slurm_state.look_up(job_id)
            if states[job_id].state == "UNKNOWN" and job is not None:  # it does not answer now
                states[job_id] = JobState(job.state, job.reason, node=job.node)
    return states


def _stuck_reasons(tickets: Mapping[str, Ticket], known: Mapping[str, Queued]) -> set[str]:
    jobs = [known[ticket.job_id] for ticket in tickets.values() if ticket.job_id in known]
    reasons = {job.reason for job in jobs if job.state == "PENDING"}
    return {reason for reason in reasons if cure(reason) or BY_LIMIT.fullmatch(reason)}


def progress_lines(
    tickets: Mapping[str, Ticket], known: Mapping[str, Queued], num_ended: int
) -> list[str]:
    """Counts by state and reason, then what does not start by itself, with the cure."""
    jobs = [known[ticket.job_id] for ticket in tickets.values() if ticket.job_id in known]
    states = Counter(job.state.lower() for job in jobs)
    reasons = Counter(job.reason for job in jobs if job.state == "PENDING")
    parts = [f"{number} {state}" for state, number in sorted(states.items())]
    why = ", ".join(f"{reason} {number}" for reason, number in reasons.most_common())
    line = f"waiting: {', '.join(parts) or 'none'}, {num_ended} ended"
    lines = [f"{line} ({why})" if why else line]
    for reason in reasons:
        waiting = {
            ticket.job_id
            for ticket in tickets.values()
            if (job := known.get(ticket.job_id)) is not None and job.reason == reason
        }
        if words := cure(reason):
            advice = words.replace("JOB", _listed(waiting))
            lines.append(f"  {reason}: does not start by itself; {advice}")
        elif reason.startswith(_NODES_MISSING):
            lines.append("  sinfo -R tells why nodes are down or drained")
        elif over := over_limits(dict.fromkeys(waiting, reason)):
            lines += [
                f"  {reason}: {job_id} does not start by itself; {words}"
                for job_id, words in over.items()
            ]
        elif _PER_USER.match(reason) and not any(job.state == "RUNNING" for job in known.values()):
            lines.append(
                f"  {reason}: no job of yours runs, so one alone may ask for more than a user may "
                "have at once; sacctmgr show qos tells the limits; lower hardware.slurm"
            )
    return lines


def over_limits(reasons: Mapping[str, str]) -> dict[str, str]:
    """Of jobs that wait for a limit above which they ask, by the id of an array's first such job:
    what they ask and may have. reasons: by job id."""
    of_arrays: dict[tuple[str, str], str] = {}
    for job_id, reason in sorted(reasons.items()):
        if BY_LIMIT.fullmatch(reason):
            of_arrays.setdefault((reason, job_id.partition("_")[0]), job_id)
    looked_at = Counter[str]()
    over = {}
    for (reason, _), job_id in of_arrays.items():
        looked_at[reason] += 1
        if looked_at[reason] <= MOST_EXAMINED and (
            words := slurm_limits.never_starts(job_id, reason)
        ):
            over[job_id] = words
    return over


def _listed(job_ids: set[str]) -> str:
    """As `scontrol` takes them."""
    shown = sorted(job_ids)[:MOST_LISTED]
    left = len(job_ids) - len(shown)
    return ",".join(shown) + (f" (and {left} more)" if left else "")


def _end_line(plan: Plan, ticket: Ticket, state: JobState) -> str:
    return f"SLURM job {ticket.job_id} ({plan.model.name}, {plan.in_words}): {state}"
