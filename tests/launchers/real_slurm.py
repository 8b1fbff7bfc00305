"""A real SLURM on this machine: munged, slurmctld, one slurmd a node, and accounting on request.

    v1  four V100     r1  two RTX 3090 and an A6000     c1, c2, c3  none     p1 to p4  pre-emption

Nodes p1 to p4 are in partitions of a low and a high priority: a job in `high` ends one in `low_*`,
which says in its name what the site does with it (requeue or cancel) and whether it gives notice
(`_grace`: SIGTERM comes GRACE_S before the end).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

GRACE_S = 30
NODES = ("v1", "r1", "c1", "c2", "c3", "p1", "p2", "p3", "p4")
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
MaxArraySize=101
SchedulerParameters=sched_interval=1,batch_sched_delay=0,preempt_youngest_first
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=DEFAULT CPUs=8 RealMemory=64000
NodeName=v1 NodeHostname={host} NodeAddr=127.0.0.1 Port={v1} Gres=gpu:v100:4
NodeName=r1 NodeHostname={host} NodeAddr=127.0.0.1 Port={r1} Gres=gpu:rtx3090:2,gpu:a6000:1
NodeName=c1 NodeHostname={host} NodeAddr=127.0.0.1 Port={c1}
NodeName=c2 NodeHostname={host} NodeAddr=127.0.0.1 Port={c2}
NodeName=c3 NodeHostname={host} NodeAddr=127.0.0.1 Port={c3}
NodeName=p1 NodeHostname={host} NodeAddr=127.0.0.1 Port={p1} CPUs=1
NodeName=p2 NodeHostname={host} NodeAddr=127.0.0.1 Port={p2} CPUs=1
NodeName=p3 NodeHostname={host} NodeAddr=127.0.0.1 Port={p3} CPUs=1
NodeName=p4 NodeHostname={host} NodeAddr=127.0.0.1 Port={p4} CPUs=1
PartitionName=DEFAULT MaxTime=60 State=UP PreemptMode=OFF
PartitionName=main Nodes=v1,r1,c[1-3] Default=YES
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
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
ACCOUNTING_PROGRAMS = ("slurmdbd", "mariadbd", "mariadb-install-db")


@contextmanager
def cluster(home: Path, *, accounting: bool) -> Iterator[Path]:
    """SLURM_CONF of a running cluster, in the environment while it runs; a program that is
    missing fails, since it is part of what is tested."""
    for program in (*PROGRAMS, *(ACCOUNTING_PROGRAMS if accounting else ())):
        assert shutil.which(program), f"{program} is missing: run .ci/run, which installs it"
    for name in ("munge", "state", *(f"spool-{node}" for node in NODES)):
        (home / name).mkdir()
    host = socket.gethostname().split(".")[0]
    values = {name: _free_port() for name in ("slurmctld", "slurmdbd", *NODES)}
    conf = home / "slurm.conf"
    text = CONF + (ACCOUNTING if accounting else "")
    conf.write_text(text.format(home=home, host=host, grace=GRACE_S, **values))
    (home / "gres.conf").write_text(GRES)
    with ExitStack() as stack, (home / "output.txt").open("w") as output:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        # a rank has one core
        for name, value in {"SLURM_CONF": str(conf), "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(name, value)

        def start(*command: str) -> None:
            process = subprocess.Popen(command, stdout=output, stderr=output)
            stack.callback(_stop, process)

        start(*_munged(home))
        _until((home / "munge" / "socket").exists, home)
        if accounting:
            _start_accounting(home, values["slurmdbd"], start)
        start("slurmctld", "-D", "-f", str(conf))
        for node in NODES:
            start("slurmd", "-D", "-N", node, "-f", str(conf))
        stack.callback(_end_all_jobs)
        _until(lambda: _nodes().count("idle") == len(NODES), home)
        yield conf


def _munged(home: Path) -> list[str]:
    key = home / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    (home / "munge").chmod(0o755)
    return [
        "munged",
        "--foreground",
        "--force",
        f"--socket={home}/munge/socket",
        f"--key-file={key}",
        f"--pid-file={home}/munge/pid",
        f"--log-file={home}/munge/log",
        f"--seed-file={home}/munge/seed",
    ]


def _start_accounting(home: Path, port: int, start: Callable[..., None]) -> None:
    """MariaDB without a network, slurmdbd over it, and this cluster with one account in it."""
    data, database_socket = home / "database", home / "database.socket"
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
               "--auth-root-authentication-method=normal", "--user=root"]  # fmt: skip
    subprocess.run(install, check=True, capture_output=True)
    start(
        "mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={database_socket}",
        "--skip-networking",
        "--user=root",
        "--innodb-buffer-pool-size=64M",
        "--innodb-lock-wait-timeout=900",
        "--innodb-flush-log-at-trx-commit=0",
    )
    _until(database_socket.exists, home)
    conf = home / "slurmdbd.conf"
    conf.write_text(DBD_CONF.format(home=home, slurmdbd=port))
    conf.chmod(0o600)
    os.environ["MYSQL_UNIX_PORT"] = str(database_socket)  # libmariadb finds the server by it
    try:
        start("slurmdbd", "-D")
    finally:
        del os.environ["MYSQL_UNIX_PORT"]
    _until(lambda: _sacctmgr("show", "cluster").returncode == 0, home)
    for words in (
        ("add", "cluster", "test"),
        ("add", "account", "lab"),
        ("add", "user", "root", "account=lab"),
    ):
        done = _sacctmgr(*words)
        assert done.returncode == 0, done.stderr + done.stdout


def _sacctmgr(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sacctmgr", "-i", *words], capture_output=True, text=True, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_all_jobs() -> None:
    """A job that outlives its daemons would go on computing, and writing, beside later tests."""
    subprocess.run(["scancel", "-u", "root"], check=False)
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        left = subprocess.run(["squeue", "-h"], capture_output=True, text=True, check=False)
        if left.returncode or not left.stdout.strip():
            return
        time.sleep(0.3)
    pytest.fail("jobs are still running: " + left.stdout)


def _nodes() -> list[str]:
    done = subprocess.run(
        ["sinfo", "-h", "-N", "-p", "main,high", "-o", "%t"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


def _until(is_so: Callable[[], bool], home: Path) -> None:
    deadline = time.monotonic() + 40
    while not is_so():
        if time.monotonic() > deadline:
            logs = [path.read_text()[-1500:] for path in home.glob("*.log")]
            pytest.fail(
                "SLURM did not start:\n" + "\n".join([*logs, (home / "output.txt").read_text()])
            )
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
