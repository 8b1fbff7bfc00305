"""A real SLURM on this machine: munged, slurmctld, one slurmd a node, and accounting on request."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.launchers.slurm_energy import energy_counter
from tests.launchers.slurm_site import DBD_CONF, GRES, NODES, Site

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
ACCOUNTING_PROGRAMS = ("slurmdbd", "mariadbd", "mariadb-install-db")
CONTROLLER = "slurmctld"


class Cluster:
    """conf: for SLURM_CONF. A daemon is named by its node, or CONTROLLER."""

    def __init__(self, home: Path, output: IO[str]) -> None:
        self.home, self.conf, self._output = home, home / "slurm.conf", output
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """A rank has one core."""
        return {"SLURM_CONF": str(self.conf), "OMP_NUM_THREADS": "1"}

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """SLURM's commands, and what the tests start, reach this cluster."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | self.environment
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def start(self, name: str, *command: str, **environment: str) -> None:
        """command: of a program that is no daemon of SLURM's."""
        daemon = ("slurmctld", "-D") if name == CONTROLLER else ("slurmd", "-D", "-N", name)
        self._running[name] = subprocess.Popen(
            command or (*daemon, "-f", str(self.conf)),
            env=os.environ | self.environment | environment,
            stdout=self._output,
            stderr=self._output,
        )

    def stop(self, name: str) -> None:
        """In good order: a controller saves what it knows of jobs."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """A node and all that runs on it, as when its power goes."""
        self._running[name].kill()
        self._running.pop(name).wait()
        for process in [one for one in psutil.process_iter() if self._is_of_job_on(one, name)]:
            with suppress(psutil.Error):
                keeper = process.parent()
                if keeper is not None and "slurmstepd" in keeper.name():
                    keeper.kill()  # first: it would tell the controller of its job's end
                process.kill()

    def _is_of_job_on(self, process: psutil.Process, node: str) -> bool:
        try:
            environment = process.environ()
        except psutil.Error:
            return False
        mine = environment.get("SLURM_CONF") == str(self.conf)
        return mine and environment.get("SLURMD_NODENAME") == node

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_so():
            if time.monotonic() > deadline:
                logs = [path.read_text()[-1500:] for path in self.home.glob("*.log")]
                output = (self.home / "output.txt").read_text()
                pytest.fail("SLURM did not start:\n" + "\n".join([*logs, output]))
            time.sleep(0.2)

    def is_ready(self) -> bool:
        states = self.call("sinfo", "-h", "-N", "-p", "main,high", "-o", "%t").stdout.split()
        return states.count("idle") == len(NODES)

    def stop_all(self) -> None:
        for name in reversed(tuple(self._running)):
            self.stop(name)

    def end_all_jobs(self) -> None:
        """A job that outlives its daemons would go on computing, and writing, beside later
        tests."""
        self.call("scancel", "-u", "root")
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            left = self.call("squeue", "-h")
            if left.returncode or not left.stdout.strip():
                return
            time.sleep(0.3)
        pytest.fail("jobs are still running: " + left.stdout)


@contextmanager
def cluster(home: Path, site: Site) -> Iterator[Cluster]:
    """A running cluster; a program that is missing fails, since it is part of what is tested."""
    accounting = site.accounting
    for program in (*PROGRAMS, *(ACCOUNTING_PROGRAMS if accounting else ())):
        assert shutil.which(program), f"{program} is missing: run .ci/run, which installs it"
    for name in ("munge", "state", *(f"spool-{node}" for node in NODES)):
        (home / name).mkdir()
    ports = _free_ports("slurmctld", "slurmdbd", *NODES)
    (home / "gres.conf").write_text(GRES)
    with ExitStack() as stack, (home / "output.txt").open("w") as output:
        counter = stack.enter_context(energy_counter(home)) if site.energy else ""
        (home / "slurm.conf").write_text(site.conf(home, ports) + counter)
        made = Cluster(home, output)
        stack.callback(made.stop_all)
        made.start("munged", *_munged(home))
        made.until((home / "munge" / "socket").exists)
        if accounting:
            _start_accounting(made, ports["slurmdbd"])
        for name in (CONTROLLER, *NODES):
            made.start(name)
        stack.callback(made.end_all_jobs)
        made.until(made.is_ready)
        yield made


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


def _start_accounting(made: Cluster, port: int) -> None:
    """MariaDB without a network, slurmdbd over it, and this cluster with one account in it."""
    data, database_socket = made.home / "database", made.home / "database.socket"
    install = [
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={data}",
        "--skip-test-db",
        "--auth-root-authentication-method=normal",
        "--user=root",
    ]
    subprocess.run(install, check=True, capture_output=True)
    made.start(
        "mariadbd",
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
    made.until(database_socket.exists)
    conf = made.home / "slurmdbd.conf"
    conf.write_text(DBD_CONF.format(home=made.home, slurmdbd=port))
    conf.chmod(0o600)
    # libmariadb finds the server by it
    made.start("slurmdbd", "slurmdbd", "-D", MYSQL_UNIX_PORT=str(database_socket))
    made.until(lambda: made.call("sacctmgr", "show", "cluster").returncode == 0)
    for words in ("cluster test", "account lab", "user root account=lab"):
        done = made.call("sacctmgr", "-i", "add", *words.split())
        assert done.returncode == 0, done.stderr + done.stdout


def _free_ports(*names: str) -> dict[str, int]:
    """All at once, so that no two are the same; below the ports of ranks (`launchers.ranks`) and
    those that outgoing connections get."""
    with ExitStack() as stack:
        ports: dict[str, int] = {}
        for port in random.sample(range(10_000, 20_000), 400):
            probe = stack.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports[names[len(ports)]] = port
            if len(ports) == len(names):
                return ports
    raise AssertionError("there are no free ports")
