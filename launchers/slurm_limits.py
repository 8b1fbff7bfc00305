"""Limits of a QOS or an account above which a job waits for ever: most sites take such a job.

`scontrol show assoc_mgr` has each limit and, in brackets, what is in use of it; `N` is none:

    QOS=tight(2)
        GrpJobs=N(0) GrpJobsAccrue=N(0) ...
        GrpTRES=cpu=4(0),mem=N(0),node=N(0),gres/gpu=1(0)
        MaxTRESPJ=cpu=8
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from launchers import slurm_state
from tasks.plan import HardwarePlan

BY_LIMIT = re.compile(r"(?:QOS|Assoc)(?:Grp|Max|Min)\w+|Max\w+PerAccount")
"""Reasons of a job that waits for a limit of its QOS or its account."""
_KINDS = {
    "GrpTRES": "all its jobs together",
    "MaxTRESPJ": "a job",
    "MaxTRESPN": "a job on each node",
    "MaxTRESPU": "a user",
    "MaxTRESPA": "an account",
}
_OF_GROUP = re.compile(r"(?:QOS|Assoc)Grp(Cpu|Mem|Memory|Node|GRES|Billing)(?:Limit)?")
_RESOURCES = {"Cpu": "cpu", "Node": "node", "GRES": "gres/", "Billing": "billing"}
_MIB = {"": 1.0, "M": 1.0, "G": 2.0**10, "T": 2.0**20}


@dataclass(frozen=True)
class Limit:
    """owner: `QOS tight`, `account lab`; kind: of `_KINDS`; resource: as SLURM names it (`cpu`,
    `gres/gpu`, `mem` in MiB), or `jobs` or `minutes`; used: now, None where SLURM does not tell."""

    owner: str
    kind: str
    resource: str
    most: float
    used: float | None

    def __str__(self) -> str:
        resource = "MiB of memory" if self.resource == "mem" else self.resource
        return f"{self.owner} allows {_KINDS[self.kind]} {self.most:g} {resource}"


def never_starts(job_id: str, reason: str) -> str | None:
    """Why a job that waits for `reason`, a limit, asks for more than it may ever have; None where
    it starts once others have ended, or where nobody tells."""
    try:
        job = slurm_state.show(job_id)
        if reason.startswith("Assoc"):
            limits = _of_account(job.get("Account", ""))
        else:
            limits = _of_both_qos(job.get("QOS", ""), job.get("Partition", ""))
    except FileNotFoundError:
        return None
    over = _over(_resources(job.get("TRES", "")) | {"jobs": 1}, limits)
    group = _OF_GROUP.fullmatch(reason)
    resource = _RESOURCES.get(group.group(1), "mem") if group else "none"
    for limit in limits if over is None else ():
        if limit.kind == "GrpTRES" and limit.resource.startswith(resource) and limit.used == 0:
            return f"{limit}, none is in use, and the job waits all the same: it asks for more"
    return over


def over_limit(hardware: HardwarePlan) -> str | None:
    """One line where a job would ask for more than its QOS or account may ever have."""
    account, qos, partition = (
        str(hardware.slurm.get(name) or "") for name in ("account", "qos", "partition")
    )
    try:
        of_qos = _of_both_qos(qos or _default_qos(account), partition)
        of_account = _of_account(account)
    except FileNotFoundError:
        return None
    # SLURM looks at an account's limit only where the QOS has none of that kind
    known = {(limit.kind, limit.resource) for limit in of_qos}
    left = [limit for limit in of_account if (limit.kind, limit.resource) not in known]
    return _over(_asked(hardware), [*of_qos, *left])


def _asked(hardware: HardwarePlan) -> dict[str, float]:
    """What the profile says; what it leaves to the site is not in it."""
    slurm, nodes = hardware.slurm, hardware.nodes
    asked: dict[str, float] = {"node": nodes, "jobs": 1}
    if slurm.get("cpus_per_task"):
        asked["cpu"] = nodes * hardware.devices * slurm["cpus_per_task"]
    if slurm.get("time_min"):
        asked["minutes"] = slurm["time_min"]
    if slurm.get("mem_gb"):
        asked["mem"] = nodes * slurm["mem_gb"] * _MIB["G"]
    gpus = f"gpu:{slurm.get('gpus_per_node')}" if slurm.get("gpus_per_node") else slurm.get("gres")
    if match := re.fullmatch(r"gpu:(?:[^:,]+:)?(\d+)", str(gpus)):
        asked["gres/gpu"] = nodes * int(match.group(1))
    return asked


def _over(asked: Mapping[str, float], limits: list[Limit]) -> str | None:
    for limit in limits:
        share = asked.get("node", 1.0) if limit.kind == "MaxTRESPN" else 1.0
        amount = asked.get(limit.resource, 0.0) / share
        if amount > limit.most:
            cure = "lower hardware.slurm, or change its qos or account"
            return f"{limit}, and the job asks for {amount:g}; {cure}"
    return None


def _of_both_qos(name: str, partition: str) -> list[Limit]:
    """Of the job's QOS and of its partition's. Where both have a limit one of the two counts, as
    the site chose: here the higher one."""
    limits: dict[tuple[str, str], Limit] = {}
    for limit in (*_of_qos(name), *_of_qos(_qos_of(partition))):
        key = limit.kind, limit.resource
        if key not in limits or limit.most > limits[key].most:
            limits[key] = limit
    return list(limits.values())


def _of_qos(name: str) -> Iterator[Limit]:
    if name in {"", "(null)", "N/A"}:
        return
    shown = slurm_state.call("scontrol", "show", "assoc_mgr", "flags=qos", f"qos={name}").stdout
    _, _, block = shown.partition(f"QOS={name}(")
    yield from _limits(f"QOS {name}", block.partition("\nQOS=")[0])


def _default_qos(account: str) -> str:
    """SLURM's own default where this user's association has none."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
    which = [f"user={name}", *([f"account={account}"] if account else [])]
    shown = slurm_state.call("sacctmgr", "-n", "-P", "show", "assoc", *which, "format=DefaultQOS")
    names = set(shown.stdout.split())
    return names.pop() if len(names) == 1 else "" if names else "normal"


def _qos_of(partition: str) -> str:
    name = partition.partition(",")[0]
    command = ["scontrol", "show", "partition", "-o", *([name] if name else [])]
    for line in slurm_state.call(*command).stdout.splitlines():
        if name or " Default=YES " in line:
            match = re.search(r" QoS=(\S+)", line)
            return match.group(1) if match else ""
    return ""


def _of_account(name: str) -> list[Limit]:
    """Of this user in the account; of the account, and of those that it is part of, what all jobs
    together may have. name: empty for the user's default."""
    shown = slurm_state.call("scontrol", "show", "assoc_mgr", "flags=assoc").stdout
    users, accounts = {}, {}
    for block in shown.split("ClusterName=")[1:]:
        head = dict(re.findall(r"(\w+)=(\S*)", block.partition("Grp")[0]))
        if not head.get("UserName"):
            accounts[head.get("Account", "")] = head, block
        elif head["UserName"].endswith(f"({os.getuid()})"):
            users[head.get("Account", "")] = head, block
    defaults = [account for account, (head, _) in users.items() if head.get("DefAssoc") == "Yes"]
    name = name or (defaults or [""])[0]
    limits = list(_limits(f"your part of account {name}", users[name][1])) if name in users else []
    while name in accounts:
        head, block = accounts.pop(name)
        of_group = _limits(f"account {name}", block)
        limits += [limit for limit in of_group if limit.kind == "GrpTRES"]
        name = head.get("ParentAccount", "").partition("(")[0]
    return limits


def _limits(owner: str, block: str) -> Iterator[Limit]:
    for most in re.findall(r"\bMaxWallPJ=(\d+)", block):
        yield Limit(owner, "MaxTRESPJ", "minutes", float(most), None)
    for most, used in re.findall(r"\bGrpJobs=(\d+)\((\d+)\)", block):
        yield Limit(owner, "GrpTRES", "jobs", float(most), float(used))
    for kind, entries in re.findall(rf"\b({'|'.join(_KINDS)})=(\S+)", block):
        for resource, most, used in re.findall(r"([\w/:]+)=(\d+)(?:\((\d+)\))?", entries):
            yield Limit(owner, kind, resource, float(most), float(used) if used else None)


def _resources(text: str) -> dict[str, float]:
    """Of a job: `cpu=8,mem=62.50G,node=1,gres/gpu=2`."""
    amounts = re.findall(r"([\w/:]+)=([\d.]+)([MGT]?)", text)
    return {name: float(number) * _MIB[unit] for name, number, unit in amounts}
