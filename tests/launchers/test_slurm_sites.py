"""What sites differ in, and what a sweep meets there: code that changes, small arrays, packed jobs,
refusals."""

from __future__ import annotations

import math
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from launchers import cancel, preview, slurm_queue, slurm_state, slurm_wait, status
from launchers.slurm_queue import Ticket
from metering.record import Record
from metering.record_file import read, write
from tasks.plan import Plan
from tasks.running.execute import empty_record
from tests.endurance import FULL
from tests.launchers.real_slurm import Cluster
from tests.launchers.slurm_energy import POWER_W
from tests.launchers.slurm_site import MAX_ARRAY_SIZE
from tests.launchers.slurm_sweeps import LONG, NUM_STEPS, QUICK, SETTINGS, plan, until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(500)]
NUM_RUNS = 1000 if FULL else 24
LONG_AGO = "2001-01-01T00:00:00+00:00"
NETWORK = """
import torch

def build(num_classes=10, **options):
    {words}
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, num_classes))
"""


def _wait(plans: list[Plan], tickets: dict[str, Ticket]) -> dict[str, Record]:
    by_name = {one.run_name: one for one in plans}
    outcomes = slurm_wait.wait_for(by_name, tickets, SETTINGS)
    return {name: outcome.record for name, outcome in outcomes.items()}


@dataclass(frozen=True)
class Packed:
    """Two runs of one job, which is requeued while it measures the second."""

    plans: list[Plan]
    tickets: dict[str, Ticket]


@pytest.fixture(scope="module")
def packed(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packed]:
    """At work while the other tests of this file wait for theirs: the last one looks at it."""
    folder = tmp_path_factory.mktemp("packed")
    plans = [
        plan(folder, *LONG, f"meter.num_steps={num_steps}", f"data.fraction={fraction}")
        for fraction, num_steps in ((0.5, 2), (0.6, NUM_STEPS))
    ]
    with slurm_cluster.in_use():
        submission = slurm_queue.submit(plans, replace(SETTINGS, runs_per_job=2))
    ticket = submission.tickets[plans[1].run_name]

    def requeue_in_the_second() -> None:
        until(lambda: ticket.log.exists() and ticket.log.read_text().count(": train\n") == 2)
        slurm_cluster.call("scontrol", "requeue", ticket.job_id)

    requeueing = threading.Thread(target=requeue_in_the_second)
    requeueing.start()
    yield Packed(plans, submission.tickets)
    requeueing.join()


def test_a_job_runs_the_code_of_its_submission_and_nothing_of_the_folder(
    slurm: Cluster, packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tasks", "launchers", "metering", "pickle"):  # would hide ours, and Python's own
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported from the folder')\n")
    network = tmp_path / "own" / "tiny_network.py"
    network.parent.mkdir()
    network.write_text(NETWORK.format(words=""))
    monkeypatch.chdir(tmp_path)
    held = plan(
        tmp_path,
        "model=own",
        "model.source=tiny_network:build",
        f"model.path={network.parent}",
        "+hardware.slurm.extra.hold=true",
    )
    monkeypatch.setenv("PYTHONPATH", ":")

    submission = slurm_queue.submit([held], SETTINGS)
    network.write_text(NETWORK.format(words="raise RuntimeError('changed after submission')"))
    (ticket,) = submission.tickets.values()
    subprocess.run(["scontrol", "release", ticket.job_id], check=True)
    (record,) = _wait([held], submission.tickets).values()

    assert record.status == "finished", record.failure
    (copy,) = (tmp_path / "runs/.slurm/code").iterdir()
    assert record.code.digest == copy.name
    assert (copy / "own/tiny_network.py").read_text() == NETWORK.format(words="")


def test_more_runs_than_an_array_holds_are_several_arrays(slurm: Cluster, tmp_path: Path) -> None:
    """The payload does nothing: its runs were measured before."""
    first = plan(tmp_path)
    plans = [
        replace(first, data=replace(first.data, fraction=1 - number / 10000))
        for number in range(NUM_RUNS)
    ]
    for one in plans:
        write(empty_record(one, "finished", LONG_AGO), one.folder)
    trivial = replace(SETTINGS, python="/bin/true", max_running=50)
    submission = slurm_queue.submit(plans, trivial)
    arrays = {ticket.job_id.partition("_")[0] for ticket in submission.tickets.values()}

    num_arrays = math.ceil(NUM_RUNS / MAX_ARRAY_SIZE)
    assert (submission.num_new, len(arrays), submission.refused) == (NUM_RUNS, num_arrays, {})
    done = _wait(plans, submission.tickets)
    assert {record.status for record in done.values()} == {"finished"} and len(done) == NUM_RUNS
    assert not list((tmp_path / "runs").glob("*/*/*/*/attempts/*"))


def test_a_refusal_is_one_line_abandons_no_other_group_and_leaves_nothing(
    slurm: Cluster, tmp_path: Path
) -> None:
    hold = "+hardware.slurm.extra.hold=true"
    bad = [
        plan(tmp_path, f"data.fraction={one}", "hardware.slurm.partition=fast")
        for one in (0.5, 0.6)
    ]
    good = plan(tmp_path, hold)

    submission = slurm_queue.submit([*bad, good], SETTINGS)

    assert list(submission.tickets) == [good.run_name]
    assert set(submission.refused) == {one.run_name for one in bad}
    (words,) = set(submission.refused.values())
    assert "Invalid partition name specified" in words and "\n" not in words
    assert len(list((tmp_path / "runs/.slurm/jobs").glob("*.plans"))) == 1
    line, _ = status.lines(tmp_path / "runs")
    assert line.startswith("pending") and "JobHeldUser, place" in line
    assert cancel.cancel(tmp_path / "runs") == 1
    job_id = submission.tickets[good.run_name].job_id
    until(lambda: slurm_state.queued()[job_id].has_ended, 30)
    assert cancel.cancel(tmp_path / "runs") == 0


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("hardware.slurm.partition=fast", "Invalid partition name"),
        ("hardware.slurm.account=nobody", "Invalid account"),
        ("hardware.slurm.qos=gold", "Invalid qos"),
        ("hardware.slurm.gres=gpu:h100:4", "Requested node configuration is not available"),
        ("hardware.slurm.time_min=90", "time_min=90 is above the 60 min of partition main"),
    ],
)
def test_a_dry_run_says_what_will_be_refused(
    slurm: Cluster, tmp_path: Path, override: str, words: str
) -> None:
    _, refusals = preview.text([plan(tmp_path, override)], SETTINGS)
    assert len(refusals) == 1 and words in refusals[0]
    assert not slurm_queue.slurm_folder(tmp_path / "runs").exists()


def test_what_a_qos_never_allows_is_told_of_before_and_while_the_job_waits(
    slurm: Cluster, tmp_path: Path
) -> None:
    for words in ("add qos narrow GrpTRES=cpu=1", "modify user root set qos=normal,narrow"):
        subprocess.run(["sacctmgr", "-i", *words.split()], check=True, capture_output=True)
    one = plan(tmp_path, "hardware.slurm.qos=narrow", "hardware.slurm.cpus_per_task=2")
    why = "QOS narrow allows all its jobs together 1 cpu, and the job asks for 2"
    until(lambda: why in "".join(preview.text([one], SETTINGS)[1]), 30)
    assert slurm_queue.submit([one], SETTINGS).num_new == 1
    until(lambda: f"does not start by itself: {why}" in status.lines(tmp_path / "runs")[0], 30)
    assert cancel.cancel(tmp_path / "runs") == 1


def test_what_the_queue_has_no_room_for_is_submitted_as_jobs_end(
    slurm: Cluster, tmp_path: Path
) -> None:
    limit = ["sacctmgr", "-i", "modify", "user", "root", "set"]
    first = plan(tmp_path)
    plans = [
        replace(first, data=replace(first.data, fraction=0.9 - number / 1000))
        for number in range(5)
    ]
    subprocess.run([*limit, "MaxSubmitJobs=2"], check=True, capture_output=True)
    try:
        submission = slurm_queue.submit(plans, replace(SETTINGS, python="/bin/true"))
    finally:
        subprocess.run([*limit, "MaxSubmitJobs=-1"], check=True, capture_output=True)
    assert (submission.num_new, submission.refused) == (5, {})


def test_one_run_without_m_is_one_job(
    slurm: Cluster, run_py: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """In a folder with a blank and an umlaut; what is null is left to the site, and the user has
    other jobs, whose comments are none of ours."""
    other = ["sbatch", "--hold", "--wrap", "true", "-o", "/dev/null", "--comment", "two\nlines|"]
    subprocess.run(other, check=True, capture_output=True)
    left = [f"hardware.slurm.{key}=null" for key in ("cpus_per_task", "time_min")]
    setup = "hydra.launcher.setup=['set -eu']"
    done = run_py(*QUICK[1:], *left, setup, "output_dir='my rüns'")
    assert done.returncode == 0, done.stderr
    assert "1 run submitted" in done.stdout
    (path,) = (tmp_path / "my rüns").glob("*/*/*/*/record.json")
    record = read(path)
    assert record.scheduler is not None and record.scheduler.state == "COMPLETED"
    assert record.status == "finished"
    until(lambda: _accounted_kwh(path) is not None, 30)
    job_s = slurm_state.seconds(slurm_state.show(record.scheduler.job_id)["RunTime"])
    assert (_accounted_kwh(path) or 0.0) * 3.6e6 == pytest.approx(POWER_W * job_s, rel=0.5)


def _accounted_kwh(path: Path) -> float | None:
    """The accounting may hear of a job's end late: `watt status` fills its energy in."""
    status.lines(path.parents[4])
    job = read(path).scheduler
    return job.energy_kwh if job is not None else None


def test_a_setup_line_that_fails_ends_the_job(slurm: Cluster, tmp_path: Path) -> None:
    one = plan(tmp_path)
    settings = replace(SETTINGS, setup=["cd /nowhere"])
    submission = slurm_queue.submit([one], settings)
    (record,) = _wait([one], submission.tickets).values()
    assert record.status == "failed" and record.failure is not None
    assert "hydra.launcher.setup: this line failed: cd /nowhere" in record.failure.traceback


def test_runs_of_one_job_have_records_of_their_own_and_a_requeue_goes_on(
    slurm: Cluster, packed: Packed
) -> None:
    tickets = [packed.tickets[one.run_name] for one in packed.plans]
    assert [(ticket.job_id, ticket.number) for ticket in tickets] == [
        (tickets[0].job_id, number) for number in range(2)
    ]
    done = _wait(packed.plans, packed.tickets)

    assert {record.status for record in done.values()} == {"finished"}
    num_attempts = [len(list((one.folder / "attempts").glob("*"))) for one in packed.plans]
    assert num_attempts == [0, 1]
    restarts = [done[one.run_name].scheduler for one in packed.plans]
    assert [job.num_restarts for job in restarts if job is not None] == [0, 1]
