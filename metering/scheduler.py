"""What a batch system says of the job that a run was part of."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from metering.bounds import Count, NonNegative


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Scheduler:
    """A job of SLURM.

    job_id: as `squeue` shows it, `22_0` for a job of an array; array_id: `22`, of the whole array;
    node_list: in SLURM's short form; num_restarts: how often the job was put back into the queue;
    state, reason: how SLURM says that it ended, `None` while nobody has asked; energy_kwh: of the
    whole job by the site's accounting (`sacct`, ConsumedEnergyRaw), set-up included: another
    reading beside ours, `None` where the site does not account for it or the job ran several runs.
    """

    job_id: str
    array_id: str | None = None
    partition: str | None = None
    node_list: str | None = None
    account: str | None = None
    qos: str | None = None
    num_restarts: Count = 0
    state: str | None = None
    reason: str | None = None
    energy_kwh: NonNegative | None = None


def from_environment(values: Mapping[str, str] = os.environ) -> Scheduler | None:
    """The job that this process is part of; None outside of one."""
    if "SLURM_JOB_ID" not in values:
        return None
    array_id = values.get("SLURM_ARRAY_JOB_ID")
    restarts = values.get("SLURM_RESTART_COUNT", "")
    return Scheduler(
        job_id=job_id(values),
        array_id=array_id,
        partition=values.get("SLURM_JOB_PARTITION"),
        node_list=values.get("SLURM_JOB_NODELIST"),
        account=values.get("SLURM_JOB_ACCOUNT"),
        qos=values.get("SLURM_JOB_QOS"),
        num_restarts=int(restarts) if restarts.isdigit() else 0,
    )


def job_id(values: Mapping[str, str] = os.environ) -> str:
    """`22`, or `22_0` for a job of an array."""
    if "SLURM_ARRAY_JOB_ID" in values:
        return f"{values['SLURM_ARRAY_JOB_ID']}_{values['SLURM_ARRAY_TASK_ID']}"
    return values["SLURM_JOB_ID"]
