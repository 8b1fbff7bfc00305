"""Sweeps on a real SLURM whose two nodes are this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launchers import status
from tests.launchers.real_slurm import Cluster
from tests.launchers.slurm_sweeps import QUICK, records, start, tickets

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(500)]
RunPy = Callable[..., subprocess.CompletedProcess[str]]
Sweeps = dict[str, tuple[Path, subprocess.Popen[str]]]
ON_CPU = ("hardware.accelerator=cpu",)
SWEEPS = {
    "profiles": ("hardware=v100x4,a6000", "hardware.gpu=null", *ON_CPU),
    "two nodes": ("hardware.nodes=2", "hardware.gpu=null,NVIDIA H100", *ON_CPU),
}


@pytest.fixture(scope="module")
def sweeps(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweeps]:
    """At work side by side, each in a folder of its own."""
    folders = {name: tmp_path_factory.mktemp("sweep") for name in SWEEPS}
    with slurm_cluster.in_use():
        started = {name: start(folders[name], *QUICK, *words) for name, words in SWEEPS.items()}
    yield {name: (folders[name], process) for name, process in started.items()}
    for process in started.values():
        process.kill()


def test_two_submitters_at_once_run_each_once_and_the_failing_ones_spoil_no_other(
    slurm: Cluster, run_py: RunPy, tmp_path: Path
) -> None:
    """Repeats are jobs of their own and records of one identity."""
    own = ("model=test_vit", *(word for word in QUICK if not word.startswith("model")), "repeats=2")
    sweep = (*own, "model.input_size=16,20")  # 20 pixels do not suit patches of 16

    both = [start(tmp_path, *sweep), start(tmp_path, *sweep)]
    outputs = [each.communicate(timeout=250)[0] for each in both]
    again = run_py(*own, "model.input_size=16")

    assert [each.returncode for each in both] == [1, 1], outputs
    assert sorted(out.split(" runs submitted")[0][-1] for out in outputs) == ["0", "4"], outputs
    assert len(records(tmp_path)) == 4
    assert len({one.sweep and one.sweep.id for one in records(tmp_path)} - {None}) == 1
    assert sorted(one.sweep.position for one in records(tmp_path) if one.sweep) == [1, 2, 3, 4]
    for size, status_of_size in ((16, "finished"), (20, "failed")):
        repeats = [one for one in records(tmp_path) if one.config["model"]["input_size"] == size]
        assert [record.status for record in repeats] == [status_of_size] * 2
        assert sorted(record.repetition for record in repeats) == [1, 2]
        assert len({record.identity for record in repeats}) == 1
        assert len({record.run_id for record in repeats}) == 2
        if status_of_size == "failed":
            assert all(one.failure and "Traceback" in one.failure.traceback for one in repeats)
    for output in outputs:
        assert "4 runs: 2 finished (0 of them earlier), 2 failed" in output
        assert output.count("failed: test_vit") == 2
    assert not list((tmp_path / "runs").glob("*/*/*/*/attempts/*"))  # no run was done twice
    assert "submitted" not in again.stdout
    assert "2 runs: 2 finished (2 of them earlier), 0 failed" in again.stdout
    assert status.lines(tmp_path / "runs")[-1] == "2 failed, 2 finished"


def test_a_job_that_is_cancelled_before_it_starts_ends_as_a_record_with_slurms_reason(
    slurm: Cluster,
    sweeps: Sweeps,
    run_py: RunPy,
    tmp_path: Path,
) -> None:
    sweep = (*QUICK, "++hardware.slurm.extra.begin=now+1hour")
    submitted = run_py(*sweep, "hydra.launcher.wait=false")
    assert submitted.returncode == 0, submitted.stderr
    (ticket,) = tickets(tmp_path)
    assert f"job {ticket.job_id}: test_resnet" in submitted.stdout
    assert status.lines(tmp_path / "runs")[-1] == "1 pending"

    waiting = start(tmp_path, *sweep)
    assert waiting.stdout is not None
    assert waiting.stdout.readline().startswith("0 runs submitted, 1 were queued already")
    subprocess.run(["scancel", ticket.job_id], check=True)
    assert status.lines(tmp_path / "runs")[-1] in {"1 missing", "1 interrupted"}

    output, _ = waiting.communicate(timeout=120)
    assert waiting.returncode == 1, output
    (record,) = records(tmp_path)
    assert record.failure is not None
    assert "CANCELLED" in record.failure.message
    assert record.status == "interrupted"
    assert status.lines(tmp_path / "runs")[-1] == "1 interrupted"


def test_swept_profiles_start_their_ranks_on_their_own_nodes(
    slurm: Cluster, sweeps: Sweeps
) -> None:
    folder, process = sweeps["profiles"]
    output, _ = process.communicate(timeout=250)

    assert process.returncode == 0, output
    notes = {
        record.hardware: next(note for note in record.notes if note.startswith("SLURM job"))
        for record in records(folder)
    }
    assert notes["v100x4"].endswith("on v1, CUDA_VISIBLE_DEVICES 0,1,2,3")
    assert notes["a6000"].endswith("on r1, CUDA_VISIBLE_DEVICES 2")
    ranks = {
        ticket.folder.split("/")[-2]: _ranks(folder, ticket.job_id) for ticket in tickets(folder)
    }
    assert ranks == {"v100x4": 4, "a6000": 1}


def _ranks(folder: Path, job_id: str) -> int:
    """How many processes of the job built the network: all write into its log."""
    return (folder / f"runs/.slurm/jobs/{job_id}.log").read_text().count("building test_resnet")


def test_a_run_over_two_nodes_names_the_node_that_is_not_what_the_profile_says(
    slurm: Cluster, sweeps: Sweeps
) -> None:
    folder, process = sweeps["two nodes"]
    output, _ = process.communicate(timeout=250)

    assert process.returncode == 1, output
    by_gpu = {record.config["hardware"]["gpu"]: record for record in records(folder)}
    assert by_gpu[None].status == "finished"
    assert by_gpu[None].phases["test"].num_nodes == 2
    failure = by_gpu["NVIDIA H100"].failure
    assert failure is not None
    assert "1 x NVIDIA H100 on each node; found none on" in failure.message
