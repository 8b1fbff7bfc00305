"""A user's defaults and an outer job's variables do not change what a run asks of SLURM."""

from __future__ import annotations

import pytest

from launchers import slurm_environment

SCRIPT = """#!/bin/bash
#SBATCH --gpus-per-node=a6000:1
#SBATCH --partition=gpu
#SBATCH --time=60
srun true
"""


def test_what_the_script_asks_is_not_changed_and_other_defaults_stay() -> None:
    user = {
        "SBATCH_PARTITION": "old",
        "SBATCH_TIMELIMIT": "5",
        "SBATCH_GPUS_PER_NODE": "t4:1",
        "SBATCH_ARRAY_INX": "0-9",
        "SBATCH_ACCOUNT": "lab",
        "PATH": "/bin",
    }
    left = slurm_environment.for_sbatch(SCRIPT, user)
    assert left == {"SBATCH_ACCOUNT": "lab", "PATH": "/bin"}


def test_an_outer_job_is_none_of_the_new_ones_concern() -> None:
    outer = {"SLURM_MEM_PER_CPU": "100", "SLURM_JOB_ID": "5", "SLURM_CONF": "/etc/slurm.conf"}
    assert slurm_environment.for_sbatch(SCRIPT, outer) == {"SLURM_CONF": "/etc/slurm.conf"}


def test_the_users_view_of_the_queue_hides_no_job() -> None:
    user = {"SQUEUE_PARTITION": "gpu", "SACCT_FORMAT": "JobID", "SBATCH_ACCOUNT": "lab"}
    assert slurm_environment.for_queries(user) == {"SBATCH_ACCOUNT": "lab"}


def test_jobs_that_go_to_another_cluster_are_asked_for_there() -> None:
    """squeue and scontrol look at SLURM_CLUSTERS alone, sbatch first at its own variable."""
    user = {"SBATCH_CLUSTERS": "big", "SLURM_CLUSTERS": "small"}
    assert slurm_environment.for_queries(user) == {"SLURM_CLUSTERS": "big"}
    assert slurm_environment.for_sbatch(SCRIPT, user) == {"SLURM_CLUSTERS": "big"}


@pytest.mark.parametrize(("named", "is_one"), [("a,b", False), ("all", False), ("a", True)])
def test_several_clusters_at_once_are_refused(
    monkeypatch: pytest.MonkeyPatch, named: str, is_one: bool
) -> None:
    monkeypatch.setenv("SLURM_CLUSTERS", named)
    problem = slurm_environment.several_clusters()
    assert problem is None if is_one else problem is not None and f"={named} names" in problem
