"""The site that the tests run on, as SLURM's configuration.

    v1  four V100     r1  two RTX 3090 and an A6000     c1 to c4  none     p1 to p4  pre-emption

Nodes p1 to p4 are in partitions of a low and a high priority: a job in `high` ends one in `low_*`,
which says in its name what the site does with it (requeue or cancel) and whether it gives notice
(`_grace`: SIGTERM comes GRACE_S before the end).
"""

from __future__ import annotations

import dataclasses
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.endurance import FULL

GRACE_S = 30
MAX_ARRAY_SIZE = 101 if FULL else 21
NODES = ("v1", "r1", "c1", "c2", "c3", "c4", "p1", "p2", "p3", "p4")
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={home}/munge/socket,cred_expire=5
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool-%n
SlurmctldPidFile={home}/ctld.pid
SlurmdPidFile={home}/slurmd-%n.pid
SlurmctldLogFile={home}/ctld.log
SlurmdLogFile={home}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
KillWait=15
MinJobAge=300
FirstJobId={first_job_id}
MaxArraySize={max_array_size}
SchedulerParameters=sched_interval=1,batch_sched_delay=0,preempt_youngest_first
PreemptType=preempt/{preempt}
PreemptMode=REQUEUE
NodeName=DEFAULT CPUs=8 RealMemory=64000
NodeName=v1 NodeHostname={host} NodeAddr=127.0.0.1 Port={v1} Gres=gpu:v100:4 Weight=9
NodeName=r1 NodeHostname={host} NodeAddr=127.0.0.1 Port={r1} Gres=gpu:rtx3090:2,gpu:a6000:1 Weight=9
NodeName=c1 NodeHostname={host} NodeAddr=127.0.0.1 Port={c1}
NodeName=c2 NodeHostname={host} NodeAddr=127.0.0.1 Port={c2}
NodeName=c3 NodeHostname={host} NodeAddr=127.0.0.1 Port={c3}
NodeName=c4 NodeHostname={host} NodeAddr=127.0.0.1 Port={c4}
NodeName=p1 NodeHostname={host} NodeAddr=127.0.0.1 Port={p1} CPUs=1
NodeName=p2 NodeHostname={host} NodeAddr=127.0.0.1 Port={p2} CPUs=1
NodeName=p3 NodeHostname={host} NodeAddr=127.0.0.1 Port={p3} CPUs=1
NodeName=p4 NodeHostname={host} NodeAddr=127.0.0.1 Port={p4} CPUs=1
PartitionName=DEFAULT MaxTime=60 State=UP PreemptMode=OFF
PartitionName=main Nodes=v1,r1,c[1-4] Default=YES
PartitionName=high Nodes=p[1-4] PriorityTier=10
PartitionName=low_requeue Nodes=p1 PriorityTier=1 PreemptMode=REQUEUE
PartitionName=low_requeue_grace Nodes=p2 PriorityTier=1 PreemptMode=REQUEUE GraceTime={grace}
PartitionName=low_cancel Nodes=p3 PriorityTier=1 PreemptMode=CANCEL
PartitionName=low_cancel_grace Nodes=p4 PriorityTier=1 PreemptMode=CANCEL GraceTime={grace}
"""
GRES = """
NodeName=v1 Name=gpu Type=v100 File=/dev/tty[0-3]
NodeName=r1 Name=gpu Type=rtx3090 File=/dev/tty[4-5]
NodeName=r1 Name=gpu Type=a6000 File=/dev/tty6
"""
ACCOUNTING = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd}
AccountingStoragePass={home}/munge/socket
AccountingStorageEnforce=limits,qos
AccountingStorageTRES=gres/gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
"""
DBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={home}/munge/socket
DbdHost=localhost
DbdPort={slurmdbd}
SlurmUser=root
LogFile={home}/dbd.log
PidFile={home}/dbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct
"""


@dataclass(frozen=True)
class Site:
    """What sites differ in. preempt: by `partition_prio` or `qos`; energy: whether SLURM reads a
    counter of each node."""

    accounting: bool = True
    preempt: str = "partition_prio"
    max_array_size: int = MAX_ARRAY_SIZE
    energy: bool = False

    def conf(self, home: Path, ports: Mapping[str, int]) -> str:
        """slurm.conf. Two sessions side by side share no job number, by which ranks have a port."""
        text = CONF + (ACCOUNTING if self.accounting else "")
        facts = {"home": home, "host": socket.gethostname().split(".")[0], "grace": GRACE_S}
        number = {"first_job_id": random.randrange(1, 2800)}
        return text.format(**dataclasses.asdict(self), **ports, **facts, **number)
