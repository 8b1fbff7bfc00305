"""What a run asks of SLURM, and the sbatch text that asks for it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launchers.settings import SlurmSettings
from tasks.errors import PlanError, unknown
from tasks.plan import HardwarePlan, Plan

PASSED_ON = ("partition", "qos", "gres", "gpus_per_node", "constraint", "account", "cpus_per_task")
KNOWN = (*PASSED_ON, "mem_gb", "time_min", "exclusive", "requeue", "extra")
_NOT_EXTRA = {
    **{name: f"hardware.slurm.{name}" for name in (*PASSED_ON, "exclusive", "requeue")},
    "no_requeue": "hardware.slurm.requeue=false", "mem": "hardware.slurm.mem_gb",
    "time": "hardware.slurm.time_min", "nodes": "hardware.nodes",
    "ntasks_per_node": "hardware.devices", "ntasks": "hardware.devices",
    "signal": "hydra.launcher.signal_delay_s", "array": "hydra.launcher.max_running",
    "clusters": "SLURM_CLUSTERS in the environment", "M": "SLURM_CLUSTERS in the environment",
    "output": "output_dir", "error": "output_dir", "open_mode": "output_dir",
}  # fmt: skip
"""What has a key of its own: under another name the suite would not know of it."""
_CHANGES_ANSWER = ("parsable", "quiet", "test_only", "wait", "wrap")
LEAVES = 75
"""Exit status of a run that asks the job to end with it (EX_TEMPFAIL of sysexits.h)."""
_NAME_CHARS = 60
LATE_S = 60  # SLURM looks at time limits once a minute


@dataclass(frozen=True)
class Array:
    """What the jobs of one array have in common. folder: of their logs; plans_file: what they
    read; num_runs: of all jobs together; code: folders that Python imports from, in order."""

    folder: Path
    plans_file: Path
    num_runs: int
    name: str = "watt"
    code: Sequence[Path] = ()


def group_key(hardware: HardwarePlan) -> str:
    """Runs with the same key share an array."""
    wanted = (hardware.name, hardware.nodes, hardware.devices, hardware.slurm)
    return json.dumps([*wanted, hardware.has_nodes_alone], sort_keys=True)


def job_name(plans: Sequence[Plan]) -> str:
    """Sweep and models: what `squeue` shows of a group of runs."""
    models = list(dict.fromkeys(plan.model.name for plan in plans))
    name = re.sub(r"[\s=]", "_", f"{plans[0].output_dir.name}:{','.join(models)}")
    if len(name) <= _NAME_CHARS:
        return name
    return f"{name[: _NAME_CHARS - 4].rpartition(',')[0] or name[: _NAME_CHARS - 4]},..."


def parameters(hardware: HardwarePlan, settings: SlurmSettings) -> dict[str, Any]:
    """Submitit's names for what the profile asks; what is null is left to the cluster."""
    slurm = dict(hardware.slurm)
    for key in slurm:
        if key not in KNOWN:
            raise unknown("key hardware.slurm", key, KNOWN, "put it under hardware.slurm.extra")
    extra = dict(slurm.get("extra") or {})
    for key in extra:
        if own := _NOT_EXTRA.get(key.replace("-", "_")):
            raise PlanError(f"hardware.slurm.extra.{key} is not for extra; use {own}")
        if key.replace("-", "_") in _CHANGES_ANSWER:
            raise PlanError(
                f"hardware.slurm.extra.{key} changes what sbatch does or answers, which the suite "
                "relies on; leave it out"
            )
    asked = {
        "nodes": hardware.nodes,
        "ntasks_per_node": hardware.devices,
        **{name: slurm.get(name) for name in PASSED_ON},
        "exclusive": _exclusive(hardware),
        "mem": None if slurm.get("mem_gb") is None else f"{slurm['mem_gb']}GB",
        "time": slurm.get("time_min"),
    }
    _require_time_before_warning(slurm.get("time_min"), settings)
    requeue = "no-requeue" if slurm.get("requeue") is False else "requeue"
    return {key: value for key, value in asked.items() if value is not None} | {
        "array_parallelism": settings.max_running,
        "signal_delay_s": settings.signal_delay_s,
        "additional_parameters": {requeue: True}
        | {key: value for key, value in extra.items() if value not in (None, False)},
    }


def _require_time_before_warning(time_min: int | None, settings: SlurmSettings) -> None:
    if time_min is not None and 60 * time_min <= settings.signal_delay_s + LATE_S:
        raise PlanError(
            f"hardware.slurm.time_min={time_min} leaves no time to measure: SLURM warns "
            f"hydra.launcher.signal_delay_s={settings.signal_delay_s} s before the end, and up to "
            f"{LATE_S} s earlier; raise the first or lower the second"
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


def sbatch_text(array: Array, hardware: HardwarePlan, settings: SlurmSettings) -> str:
    """The file that `sbatch` is given for the jobs of `array`, or for one job without an array."""
    from submitit.slurm.slurm import _make_sbatch_string

    num_jobs = -(-array.num_runs // settings.runs_per_job)
    # submitit's own name and five minutes, else
    asked = {"time": None} | parameters(hardware, settings) | {"wckey": None}
    log = "%j.log" if num_jobs == 1 else "%A_%a.log"
    asked["additional_parameters"] = {
        "output": f"{str(array.folder).replace('%', '%%')}/{log}",
        **asked["additional_parameters"],
    }
    text: str = _make_sbatch_string(
        command=_runs(array, hardware, settings, num_jobs),
        folder=array.folder,
        job_name=array.name,
        map_count=num_jobs if num_jobs > 1 else None,
        setup=_setup(array, settings),
        stderr_to_stdout=True,
        use_srun=False,
        **asked,
    )
    return text


def _setup(array: Array, settings: SlurmSettings) -> list[str]:
    """The site's own lines, one of which may fail; then where Python imports from: first the copy
    of the code, nothing from the folder of submission (also not by an empty entry)."""
    own = [
        "trap 'echo \"hydra.launcher.setup: this line failed: $BASH_COMMAND\" >&2' ERR",
        "set -e",
        *settings.setup,
        "set +eu",
        "trap - ERR",
    ]
    code = ":".join(str(folder) for folder in array.code)
    return [
        *(own if settings.setup else []),
        'others=$(printf %s "${PYTHONPATH:-}" | tr : "\\n" | grep "^/" | paste -sd: -)',
        f"export PYTHONPATH={shlex.quote(code)}${{others:+:$others}} PYTHONSAFEPATH=1",
        # the job is on that cluster: srun and scontrol need not ask the accounting where it is
        "unset SLURM_CLUSTERS SBATCH_CLUSTERS",
        # a site or user with SBATCH_EXPORT=NONE: srun would pass on none of this
        "export SLURM_EXPORT_ENV=ALL",
        # in the environment since SLURM 23
        "export SLURM_JOB_START_TIME=${SLURM_JOB_START_TIME:-$(date +%s)}",
        # srun does not take it from sbatch since SLURM 22.05
        '[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK',
    ]


def _runs(array: Array, hardware: HardwarePlan, settings: SlurmSettings, num_jobs: int) -> str:
    """One `srun` a run, so that each has processes of its own; a job that was put back into the
    queue goes on with the run that has not ended."""
    python = settings.python or shlex.quote(sys.executable)
    srun = ["srun", "--unbuffered", "--kill-on-bad-exit=1"]  # one rank down ends the others
    if hardware.num_ranks > 1:
        srun.append("--label")
    last = array.num_runs - (num_jobs - 1) * settings.runs_per_job
    folder = shlex.quote(str(array.folder))
    ended, requeue = f'{folder}/"$job.$run.ended"', f'{folder}/"$job.requeue"'
    return f"""\
job=${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}${{SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}}
runs={min(settings.runs_per_job, array.num_runs)}
[ "${{SLURM_ARRAY_TASK_ID:-0}}" = {num_jobs - 1} ] && runs={last}
trap 'leaving=1' TERM
status=0
for ((run = 0; run < runs; run++)); do
  [ -e {ended} ] && continue
  {shlex.join(srun)} {python} -u -m launchers.slurm_job {shlex.quote(str(array.plans_file))} $run
  code=$?
  [ $code = 0 ] || status=$code
  if [ -n "$leaving" ] || [ $code = {LEAVES} ]; then break; fi
done
if [ -e {requeue} ]; then
  rm {requeue}
  for pause in 5 15 0; do scontrol requeue "$job" && break; sleep $pause; done
fi
exit $status"""
