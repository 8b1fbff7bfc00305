"""What SLURM would refuse of a job, asked before it is submitted."""

from __future__ import annotations

import re
from tempfile import NamedTemporaryFile

from launchers import slurm_environment, slurm_state
from launchers.slurm_submit import error_line
from tasks.plan import HardwarePlan

_NO_SUCH_NODES = "Requested node configuration is not available"
_NO_SLURM = ("configuration file", "configuration source")


class NotAsked(RuntimeError):
    """SLURM cannot be asked from here, or now: one line that says why."""


def refusal(text: str, partition: str | None = None) -> str | None:
    """What `sbatch --test-only` has against `text`, in one line; None where it would be taken.
    Raises `NotAsked`, also where nodes are missing that may be what is asked for: SLURM takes such
    a job and lets it wait."""
    with NamedTemporaryFile("w", suffix=".sh") as script:
        script.write(text)
        script.flush()
        try:
            environment = slurm_environment.for_sbatch(text)
            done = slurm_state.call("sbatch", "--test-only", script.name, environment=environment)
        except FileNotFoundError:
            raise NotAsked("sbatch is not on PATH") from None
    if done.returncode == 0:
        return None
    answer = error_line(done.stderr)
    if slurm_state.is_slow(answer) or any(words in answer for words in _NO_SLURM):
        raise NotAsked(answer)
    missing = _missing_nodes(partition) if _NO_SUCH_NODES in answer else ""
    if missing:
        raise NotAsked(f"{answer}, but {missing} is down or drained (sinfo -R)")
    return answer


def _missing_nodes(partition: str | None) -> str:
    """Nodes that are in the partition, or in any, and take no jobs."""
    states = ("-t", "down,drain,drained,draining,fail,maint,reboot")
    try:
        shown = slurm_state.call(
            "sinfo", "-h", *states, "-o", "%N", *(["-p", partition] if partition else [])
        )
    except FileNotFoundError:
        return ""
    return ",".join(shown.stdout.split()) if shown.returncode == 0 else ""


def over_time_limit(hardware: HardwarePlan) -> str | None:
    """One line where a job would wait for ever, since its partition has a shorter time limit: most
    sites take such a job."""
    minutes = hardware.slurm.get("time_min") or 0
    name = hardware.slurm.get("partition")
    try:
        shown = slurm_state.call("scontrol", "show", "partition", "-o", *([name] if name else []))
    except FileNotFoundError:
        return None
    for line in shown.stdout.splitlines() if shown.returncode == 0 and minutes else ():
        limit_s = slurm_state.seconds(_word(line, "MaxTime"))
        if (name or _word(line, "Default") == "YES") and minutes * 60 > limit_s:
            return (
                f"hardware.slurm.time_min={minutes} is above the {limit_s / 60:g} min of partition "
                f"{_word(line, 'PartitionName')}"
            )
    return None


def _word(line: str, name: str) -> str:
    match = re.search(rf"\b{name}=(\S*)", line)
    return match.group(1) if match else ""
