"""What a run asks of SLURM, and the sbatch text that asks for it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.errors import PlanError, unknown
from tasks.plan import HardwarePlan

PASSED_ON = ("partition", "qos", "gres", "gpus_per_node", "constraint", "account", "cpus_per_task")
KNOWN = (*PASSED_ON, "mem_gb", "time_min", "exclusive", "requeue", "extra")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class SlurmSettings:
    """How to submit, the same for every run of a sweep; see conf/hydra/launcher/slurm.yaml."""

    max_running: int = 8
    wait: bool = True
    max_requeues: int = 3
    signal_delay_s: int = 90
    setup: Sequence[str] = ()
    python: str | None = None
    poll_s: float = 5.0
    visibility_s: float = 60.0


def group_key(hardware: HardwarePlan) -> str:
    """Runs with the same key share an array."""
    wanted = (hardware.name, hardware.nodes, hardware.devices, hardware.slurm)
    return json.dumps(wanted, sort_keys=True)


def parameters(hardware: HardwarePlan, settings: SlurmSettings) -> dict[str, Any]:
    """Submitit's names for what the profile asks; what is null is left to the cluster."""
    slurm = dict(hardware.slurm)
    for key in slurm:
        if key not in KNOWN:
            raise unknown("key hardware.slurm", key, KNOWN, "put it under hardware.slurm.extra")
    asked = {
        "job_name": f"watt-{hardware.name}",
        "nodes": hardware.nodes,
        "ntasks_per_node": hardware.devices,
        **{name: slurm.get(name) for name in PASSED_ON},
        "exclusive": _exclusive(hardware),
        "mem": None if slurm.get("mem_gb") is None else f"{slurm['mem_gb']}GB",
        "time": slurm.get("time_min"),
    }
    requeue = "no-requeue" if slurm.get("requeue") is False else "requeue"
    extra = {requeue: True} | dict(slurm.get("extra") or {})
    return {key: value for key, value in asked.items() if value is not None} | {
        "array_parallelism": settings.max_running,
        "signal_delay_s": settings.signal_delay_s,
        "setup": [f"export PYTHONPATH={shlex.quote(str(ROOT))}:$PYTHONPATH", *settings.setup],
        # one rank down ends the others
        "srun_args": ["--kill-on-bad-exit=1"],
        "additional_parameters": extra,
    }


def executor(folder: Path, hardware: HardwarePlan, settings: SlurmSettings) -> Any:
    """Submitit's executor for this profile."""
    from submitit import SlurmExecutor

    made = SlurmExecutor(folder, max_num_timeout=settings.max_requeues, python=settings.python)
    made.update_parameters(**parameters(hardware, settings))
    return made


def sbatch_text(
    folder: Path, hardware: HardwarePlan, settings: SlurmSettings, num_runs: int
) -> str:
    """The file that `sbatch` would be given for an array of `num_runs`."""
    import sys

    from submitit.slurm.slurm import _make_sbatch_string

    python = settings.python or shlex.quote(sys.executable)
    return _make_sbatch_string(
        command=f"{python} -u -m submitit.core._submit {shlex.quote(str(folder))}",
        folder=folder,
        map_count=num_runs if num_runs > 1 else None,
        **parameters(hardware, settings),
    )


def _exclusive(hardware: HardwarePlan) -> bool | None:
    if hardware.has_nodes_alone:
        return True
    if not hardware.asks_for_gpus:
        raise PlanError(
            "hardware.slurm.exclusive=false leaves nothing to meter on CPUs: jobs of others may "
            "run on the node; leave it out"
        )
    return None
