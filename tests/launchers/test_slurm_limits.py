"""A job that asks for more than its QOS or account may ever have is told of, not waited for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import slurm_limits
from tasks.plan import Plan

JOB = "JobId=7 JobState=PENDING Account=lab QOS=tight Partition=gpu TRES={tres}"
QOS = """Current Association Manager state

QOS Records

QOS=tight(2)
    GrpJobs=N(0) GrpJobsAccrue=N(3) GrpSubmitJobs=N(3) GrpWall=N(0.00)
    GrpTRES=cpu=4({used}),mem=2048(0),node=N(0),gres/gpu=2(0)
    MaxTRESPJ=
    MaxTRESPN=cpu=3
    User Limits
      0
        MaxTRESPU=cpu=N(0),gres/gpu=1(0)
QOS=short(3)
    MaxWallPJ=60
QOS=wide(4)
    GrpTRES=gres/gpu=64(0)
"""
ACCOUNTS = f"""Association Records

ClusterName=test Account=top UserName= Partition= Priority=0 ID=1
    ParentAccount= Lft=1 DefAssoc=No
    GrpTRES=cpu=N(0),gres/gpu=8(0)
ClusterName=test Account=lab UserName= Partition= Priority=0 ID=3
    ParentAccount=top(1) Lft=6 DefAssoc=No
    GrpTRES=cpu=N(0),node=2(0)
ClusterName=test Account=lab UserName=me({os.getuid()}) Partition= Priority=0 ID=4
    ParentAccount= Lft=7 DefAssoc=Yes
    GrpTRES=cpu=N(0)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`site(tres, used)`: job 7 asks for `tres`; of the CPUs of QOS tight so many are in use."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def make(tres: str = "", used: int = 0) -> None:
        for name, text in (
            ("job", JOB.format(tres=tres)),
            ("qos", QOS.format(used=used)),
            ("assoc", ACCOUNTS),
        ):
            (tmp_path / name).write_text(text)
        (tmp_path / "scontrol").write_text(
            '#!/bin/sh\ncase "$*" in\n'
            f"*job*) cat {tmp_path}/job ;;\n"
            f"*flags=qos*) cat {tmp_path}/qos ;;\n"
            f"*flags=assoc*) cat {tmp_path}/assoc ;;\n"
            "*partition*) echo 'PartitionName=gpu Default=YES QoS=N/A' ;;\nesac\n"
        )
        (tmp_path / "scontrol").chmod(0o755)

    return make


@pytest.mark.parametrize(
    ("tres", "reason", "used", "words"),
    [
        ("cpu=8,node=1", "QOSGrpCpuLimit", 2, "QOS tight allows all its jobs together 4 cpu"),
        ("cpu=4,node=1", "QOSMaxCpuPerNode", 0, "a job on each node 3 cpu"),
        ("cpu=4,node=2", "QOSGrpCpuLimit", 2, None),  # once others have ended
        (
            "cpu=1,mem=3G,node=1",
            "QOSGrpMemLimit",
            0,
            "2048 MiB of memory, and the job asks for 3072",
        ),
        ("cpu=1,node=1,gres/gpu=2", "QOSMaxGRESPerUser", 0, "a user 1 gres/gpu"),
        ("cpu=1,node=4", "AssocGrpNodeLimit", 0, "account lab allows all its jobs together 2"),
        ("cpu=1,node=1", "QOSGrpCpuLimit", 0, "none is in use"),  # a whole node counts as one CPU
    ],
)
def test_a_job_above_a_limit_never_starts(
    site: Callable[..., None], tres: str, reason: str, used: int, words: str | None
) -> None:
    site(tres, used)
    why = slurm_limits.never_starts("7", reason)
    assert why is None if words is None else why is not None and words in why


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["hardware=v100x4", "hardware.slurm.qos=tight"], "2 gres/gpu, and the job asks for 4"),
        (["hardware=h100x8", "hardware.nodes=2"], "account top allows all its jobs together 8"),
        (
            ["hardware=a6000", "hardware.slurm.qos=short"],
            "a job 60 minutes, and the job asks for 240",
        ),
        (["hardware=h100x8", "hardware.nodes=2", "hardware.slurm.qos=wide"], None),  # it counts
        (["hardware=a6000"], None),
    ],
)
def test_what_a_profile_asks_is_compared_before_it_is_submitted(
    site: Callable[..., None],
    compose: Callable[..., Plan],
    overrides: list[str],
    words: str | None,
) -> None:
    site()
    plan = compose(*overrides, "hardware.slurm.cpus_per_task=1", "hardware.slurm.mem_gb=null")
    over = slurm_limits.over_limit(plan.hardware)
    assert over is None if words is None else over is not None and words in over
