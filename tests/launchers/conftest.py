"""A real SLURM on this machine: munged, slurmctld, and two slurmd with four and three GPUs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
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
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=DEFAULT CPUs=8 RealMemory=64000
NodeName=v1 NodeHostname={host} NodeAddr=127.0.0.1 Port={v1_port} Gres=gpu:v100:4
NodeName=r1 NodeHostname={host} NodeAddr=127.0.0.1 Port={r1_port} Gres=gpu:rtx3090:2,gpu:a6000:1
PartitionName=main Nodes=v1,r1 Default=YES MaxTime=60 State=UP
"""
GRES = """
NodeName=v1 Name=gpu Type=v100 File=/dev/tty[0-3]
NodeName=r1 Name=gpu Type=rtx3090 File=/dev/tty[4-5]
NodeName=r1 Name=gpu Type=a6000 File=/dev/tty6
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """SLURM_CONF of a running cluster; its absence fails, since it is part of what is tested."""
    for program in ("munged", "slurmctld", "slurmd", "sbatch"):
        assert shutil.which(program), f"{program} is missing: apt-get install slurm-wlm munge"
    home = tmp_path_factory.mktemp("slurm")
    for name in ("munge", "state", "spool-v1", "spool-r1"):
        (home / name).mkdir()
    conf = home / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    ports = {name: _free_port() for name in ("ctld_port", "v1_port", "r1_port")}
    conf.write_text(CONF.format(home=home, host=host, **ports))
    (home / "gres.conf").write_text(GRES)
    key = home / "munge" / "key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    (home / "munge").chmod(0o755)
    munge = [
        "munged", "--foreground", "--force", f"--socket={home}/munge/socket", f"--key-file={key}",
        f"--pid-file={home}/munge/pid", f"--log-file={home}/munge/log",
        f"--seed-file={home}/munge/seed",
    ]  # fmt: skip
    ours = {"SLURM_CONF": str(conf), "OMP_NUM_THREADS": "1"}  # a rank has one core
    with ExitStack() as stack, (home / "output.txt").open("w") as output:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in ours.items():
            patch.setenv(name, value)
        for command in (
            munge,
            ["slurmctld", "-D", "-f", str(conf)],
            ["slurmd", "-D", "-N", "v1", "-f", str(conf)],
            ["slurmd", "-D", "-N", "r1", "-f", str(conf)],
        ):
            process = subprocess.Popen(command, stdout=output, stderr=output)
            stack.callback(_stop, process)
            if command is munge:
                _until((home / "munge" / "socket").exists, home)
        stack.callback(_end_all_jobs)
        _until(lambda: _nodes().count("idle") == 2, home)
        yield conf


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
        ["sinfo", "-h", "-N", "-o", "%t"], capture_output=True, text=True, check=False
    )
    return done.stdout.split()


def _until(is_so: object, home: Path) -> None:
    deadline = time.monotonic() + 40
    while not is_so():  # type: ignore[operator]
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
