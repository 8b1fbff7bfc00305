"""A controller that is slow to answer is asked again, and nothing is submitted twice."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import slurm_leaving, slurm_queue, slurm_submit, slurm_sweep, slurm_wait
from launchers.settings import SlurmSettings
from launchers.slurm_queue import Submission
from tasks.plan import Plan

SLOW = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
SETTINGS = SlurmSettings(submit_patience_s=1.0)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """`site(sbatch, squeue)`: these scripts are the site's; answers the file that has a line for
    each call of sbatch."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm_submit, "FIRST_WAIT_S", 0.1)
    calls = tmp_path / "calls"

    def make(sbatch: str, squeue: str) -> Path:
        scripts = {"sbatch": f"echo call >> {calls}\n{sbatch}", "squeue": squeue}
        for name, text in (scripts | {"scontrol": "exit 1", "sacct": "exit 1"}).items():
            (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / name).chmod(0o755)
        return calls

    return make


def test_a_controller_that_does_not_answer_is_asked_again(
    site: Callable[[str, str], Path], compose: Callable[..., Plan], tmp_path: Path
) -> None:
    calls = site(
        f'[ $(wc -l < {tmp_path}/calls) = 1 ] && {{ echo "{SLOW}" >&2; exit 1; }}\n'
        "echo Submitted batch job 5",
        "exit 0",
    )
    plan = compose()
    submission = slurm_queue.submit([plan], SETTINGS)
    assert submission.tickets[plan.run_name].job_id == "5"
    assert calls.read_text().count("call") == 2


def test_a_member_of_a_federation_keeps_its_jobs(
    site: Callable[[str, str], Path], compose: Callable[..., Plan], tmp_path: Path
) -> None:
    """Else a job may start on a sibling, and is "revoked" here."""
    site(f"echo $SLURM_CLUSTERS > {tmp_path}/named; echo Submitted batch job 5", "exit 0")
    (tmp_path / "scontrol").write_text(
        '#!/bin/sh\n[ "$2" = federation ] || exit 1\n'
        "echo 'Federation: union'\necho 'Self:       small:10.0.0.1:6817 ID:1 FedState:ACTIVE'\n"
    )
    assert slurm_queue.submit([compose()], SETTINGS).num_new == 1
    assert (tmp_path / "named").read_text() == "small\n"


def test_a_job_that_was_taken_although_sbatch_timed_out_is_not_submitted_again(
    site: Callable[[str, str], Path], compose: Callable[..., Plan], tmp_path: Path
) -> None:
    token = f"$(basename {tmp_path}/runs/.slurm/jobs/watt-*.sh .sh)"
    line = f'echo "7|N/A|PENDING|Priority||0:00|N/A|gpu|{token}"'
    calls = site(f'echo "{SLOW}" >&2; exit 1', line)
    plan = compose()
    submission = slurm_queue.submit([plan], SETTINGS)
    assert submission.tickets[plan.run_name].job_id == "7"
    assert calls.read_text().count("call") == 1


def test_patience_ends_and_nothing_is_left_behind(
    site: Callable[[str, str], Path], compose: Callable[..., Plan], tmp_path: Path
) -> None:
    site(f'echo "{SLOW}" >&2; exit 1', "exit 0")
    plan = compose()
    submission = slurm_queue.submit([plan], SETTINGS)
    assert "Socket timed out" in submission.refused[plan.run_name]
    assert not list((tmp_path / "runs/.slurm/jobs").iterdir())


def test_a_limit_that_leaves_no_room_later_is_a_refusal_at_once(
    site: Callable[[str, str], Path], compose: Callable[..., Plan]
) -> None:
    policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
    said = f"sbatch: error: QOSMaxWallDurationPerJobLimit\\nsbatch: error: {policy}"
    another = 'echo "9|N/A|RUNNING|None||0:01|N/A|gpu|another"'
    calls = site(f'printf "{said}" >&2; exit 1', another)
    plan = compose()
    submission = slurm_queue.submit([plan], SETTINGS)
    assert "QOSMaxWallDurationPerJobLimit" in submission.refused[plan.run_name]
    assert calls.read_text().count("call") == 1


def test_a_job_that_does_not_start_by_itself_is_told_of_at_once(
    site: Callable[[str, str], Path],
    compose: Callable[..., Plan],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    held = 'echo "5|N/A|PENDING|JobHeldUser||0:00|N/A|gpu|"'
    seen = tmp_path / "seen"
    site("echo Submitted batch job 5", f"[ -e {seen} ] || {held}; touch {seen}")
    plan = compose()
    submission = slurm_queue.submit([plan], SETTINGS)
    seen.unlink()
    settings = SlurmSettings(poll_s=0.1, visibility_s=0.0)
    slurm_wait.wait_for({plan.run_name: plan}, submission.tickets, settings)
    assert "JobHeldUser: does not start by itself; scontrol release 5" in capsys.readouterr().out


def test_a_profile_that_cannot_be_asked_for_leaves_the_others_alone_and_nothing_behind(
    site: Callable[[str, str], Path], compose: Callable[..., Plan], tmp_path: Path
) -> None:
    site("echo Submitted batch job 5", "exit 0")
    bad = compose("hardware=t4", "+hardware.slurm.extra.time=5")
    good = compose("hardware=a100")
    submission = slurm_queue.submit([bad, good], SETTINGS)
    assert list(submission.tickets) == [good.run_name]
    assert "use hardware.slurm.time_min" in submission.refused[bad.run_name]
    assert len(list((tmp_path / "runs/.slurm/jobs").glob("*.plans"))) == 1


def test_a_second_submitter_says_that_it_waits_for_the_first(
    site: Callable[[str, str], Path],
    compose: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(slurm_queue, "TURN_TOLD_AFTER_S", 0.1)
    site("echo Submitted batch job 5", "exit 0")
    plan = compose()
    home = slurm_queue.slurm_folder(plan.output_dir)
    home.mkdir(parents=True)
    first = os.open(home / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(first, fcntl.LOCK_EX)  # as another process holds it
    assert slurm_queue.is_submitting(plan.output_dir)
    threading.Timer(0.5, os.close, [first]).start()
    assert slurm_queue.submit([plan], SETTINGS).num_new == 1
    assert f"another command submits to {plan.output_dir}" in capsys.readouterr().err
    assert not slurm_queue.is_submitting(plan.output_dir)


def test_ctrl_c_during_submission_keeps_what_slurm_took_and_says_what_is_left(
    site: Callable[[str, str], Path],
    compose: Callable[..., Plan],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The second group's sbatch is at work when it comes."""
    number = f"$(wc -l < {tmp_path}/calls)"
    interrupt = f"[ {number} = 1 ] || {{ kill -INT {os.getpid()}; sleep 0.3; }}"
    site(f"{interrupt}\necho Submitted batch job {number}", "exit 0")
    plans = [compose(f"hardware={name}") for name in ("a6000", "t4", "a100")]
    with pytest.raises(KeyboardInterrupt):
        slurm_sweep.run({plan.run_name: plan for plan in plans}, SETTINGS)
    tickets = slurm_queue.read_tickets(plans[0].output_dir)
    assert sorted(ticket.job_id for ticket in tickets.values()) == ["1", "2"]
    assert "1 of 3 runs were not submitted" in capsys.readouterr().err


def test_ctrl_c_says_that_jobs_go_on_and_what_to_do(
    site: Callable[[str, str], Path],
    compose: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> Submission:
        raise KeyboardInterrupt

    site("echo Submitted batch job 5", "exit 0")
    monkeypatch.setattr(slurm_wait, "wait_for", interrupted)
    plan = compose()
    with pytest.raises(KeyboardInterrupt):
        slurm_sweep.run({plan.run_name: plan}, SETTINGS)
    said = capsys.readouterr().err
    assert "the jobs go on" in said
    assert f"watt status {plan.output_dir}" in said and f"watt cancel {plan.output_dir}" in said


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("*** JOB 5 ON p1 CANCELLED AT 2026-11-26T02:10:36 DUE TO PREEMPTION ***", "PREEMPTED"),
        ("*** STEP 5.0 ON p1 CANCELLED AT 2026-11-26T02:10:36 DUE TO TIME LIMIT ***", "TIMEOUT"),
        (
            "0: slurmstepd-c1: error: *** JOB 5 ON c1 CANCELLED AT 2026-11-26T02:10:34 ***",
            "CANCELLED",
        ),
        (
            "*** JOB 5 ON p1 CANCELLED AT 2026-11-26T02:10:36 DUE TO NODE FAILURE, SEE "
            "SLURMCTLD LOG FOR DETAILS ***",
            "NODE_FAIL",
        ),
        ("train: measuring", None),
    ],
)
def test_slurms_own_word_in_the_jobs_log_is_why_it_ended(
    tmp_path: Path, line: str, kind: str | None
) -> None:
    path = tmp_path / "5.log"
    path.write_text("*** JOB 5 ON p1 CANCELLED AT 2026-11-25T01:00:00 DUE TO JOB REQUEUE ***\n")
    log = slurm_leaving.JobLog(path)  # what was said of earlier attempts does not count
    with path.open("a") as stream:
        stream.write(f"{line}\n")
    assert log.end(within_s=0.0) == kind
