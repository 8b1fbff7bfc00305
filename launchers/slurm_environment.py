"""What SLURM's commands see of the user's environment: variables that mean the same as options go
before what a script says, and would move a run to other hardware than its config names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS")
_FILTERS = ("SQUEUE_", "SACCT_", "SCONTROL_", "SCANCEL_")
"""A user's own view of the queue, as `SQUEUE_PARTITION`: it would hide jobs from us."""
_NAMES = {"TIMELIMIT": "time", "ARRAY_INX": "array", "MEM_PER_NODE": "mem"}
_NEVER = ("ARRAY_INX", "ERROR", "REQUEUE", "NO_REQUEUE", "WAIT")


def named_cluster(values: Mapping[str, str] = os.environ) -> str:
    """The cluster that the user names for `-M`; empty: the one that SLURM's configuration is of."""
    return values.get("SBATCH_CLUSTERS") or values.get("SLURM_CLUSTERS") or ""


def several_clusters() -> str | None:
    """Where the user names more than one: what is wrong with that, in one line."""
    named = named_cluster()
    if "," not in named and named != "all":
        return None
    return (
        f"SLURM_CLUSTERS or SBATCH_CLUSTERS={named} names several clusters, whose jobs could not "
        "be told apart, and in whose jobs srun fails; name one"
    )


def for_queries(values: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Without filters, and of the cluster that jobs are submitted to."""
    left = {name: value for name, value in values.items() if not name.startswith(_FILTERS)}
    left.pop("SBATCH_CLUSTERS", None)
    named = named_cluster(values)
    return left | ({"SLURM_CLUSTERS": named} if named else {})


def for_sbatch(script: str, values: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Without what an outer job says of itself (`SLURM_MEM_PER_CPU` would stop `srun`), and without
    defaults of the user's (`SBATCH_PARTITION`) for what `script` asks; others stay."""
    asked = set(re.findall(r"^#SBATCH --([a-z-]+)", script, re.MULTILINE))

    def stays(name: str) -> bool:
        if name.startswith("SLURM_"):
            return name in _KEPT
        short = name.removeprefix("SBATCH_")
        option = _NAMES.get(short, short.lower().replace("_", "-"))
        return not name.startswith("SBATCH_") or (option not in asked and short not in _NEVER)

    return {name: value for name, value in for_queries(values).items() if stays(name)}
