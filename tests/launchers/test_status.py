"""What `watt status` learns of SLURM goes into the records of runs that nobody has waited for."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import cancel, slurm_queue, status
from launchers.slurm_queue import Ticket
from metering.record_file import read, write
from metering.scheduler import Scheduler
from tasks.plan import Plan
from tasks.running.execute import empty_record

LONG_AGO = "2001-01-01T00:00:00+00:00"


@pytest.mark.parametrize("earlier", [None, "COMPLETED"])  # whose energy was not known yet
@pytest.mark.parametrize(("job", "state"), [("7_0", "COMPLETED"), ("6_0", None)])
def test_state_and_energy_of_an_ended_job_go_into_its_own_record(
    compose: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    job: str,
    state: str | None,
    earlier: str | None,
) -> None:
    plan = compose()
    record = empty_record(plan, "finished", LONG_AGO)
    write(dataclasses.replace(record, scheduler=Scheduler(job, state=earlier)), plan.folder)
    _ticket_of(plan)
    scripts = {
        "squeue": "exit 0",
        "scontrol": "exit 1",
        "sacct": "echo '7_0|COMPLETED|None|0:0|v1|3600000'",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert status.lines(plan.output_dir)[-1] == "1 finished"

    scheduler = read(plan.folder / "record.json").scheduler
    assert scheduler is not None and scheduler.state == (state or earlier)
    assert scheduler.energy_kwh == (1.0 if state else None)


def _ticket_of(plan: Plan) -> Path:
    ticket = Ticket(plan.run_name, "7_0", str(plan.folder), "")
    path = slurm_queue.slurm_folder(plan.output_dir) / "tickets" / "one.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(dataclasses.asdict(ticket)))
    return path


def test_a_folder_that_was_moved_is_the_same_sweep(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = compose()
    write(empty_record(plan, "finished", LONG_AGO), plan.folder)
    _ticket_of(plan)
    plan.output_dir.rename(tmp_path / "moved")
    line, *_, total = status.lines(tmp_path / "moved")
    assert line.endswith("job 7_0") and total == "1 finished"


def test_a_run_without_a_record_shows_the_last_line_of_its_jobs_log(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    log = _ticket_of(plan).parent.parent / "jobs" / "7_0.log"
    log.parent.mkdir()
    log.write_text("module: not found\nsrun: error: no such partition\n")
    line, *_, total = status.lines(plan.output_dir)
    assert f"no record: srun: error: no such partition; log: {log}" in line
    assert total == "1 missing"


def test_a_job_of_another_cluster_is_not_taken_for_one_of_the_same_number_here(
    compose: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = compose()
    path = _ticket_of(plan)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cluster": "big"}))
    scripts = {
        "squeue": "[ $4 = PD ] || echo '7|0|RUNNING|None|v1|0:01|N/A|gpu|/another.sh'",
        "scontrol": "echo 'ClusterName             = small'",
        "scancel": "touch $0.called",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    line, total = status.lines(plan.output_dir)
    assert line.startswith("elsewhere") and "SLURM_CLUSTERS=big" in line
    assert total == "1 elsewhere"
    assert cancel.cancel(plan.output_dir) == 0 and not (tmp_path / "scancel.called").exists()
    assert slurm_queue.elsewhere(plan.output_dir) == ["big"]


def test_of_several_runs_in_one_job_each_has_a_state_of_its_own(
    compose: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "squeue").write_text(
        "#!/bin/sh\n[ $4 = PD ] || echo '7|0|RUNNING|None|v1|0:01|N/A|gpu|/job.sh'\n"
    )
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    plans = [compose(f"batch_size={number}") for number in (4, 8, 16)]
    home = slurm_queue.slurm_folder(plans[0].output_dir)
    (home / "tickets").mkdir(parents=True)
    (home / "jobs").mkdir()
    for number, plan in enumerate(plans):
        ticket = Ticket(
            plan.run_name, "7_0", str(plan.folder), "", number, len(plans), what=plan.in_words
        )
        path = home / "tickets" / f"{number}.json"
        path.write_text(json.dumps(dataclasses.asdict(ticket)))
    (home / "jobs/7_0.log").write_text("run 0: first\nrun 1: second\n")
    (home / "jobs/7_0.0.ended").touch()
    write(empty_record(plans[0], "finished", LONG_AGO), plans[0].folder)
    *lines, total = status.lines(plans[0].output_dir)
    states = {line.split("batch ")[1].split(",")[0]: line.split()[0] for line in lines}
    assert states == {"4": "finished", "8": "running", "16": "waiting"}
    assert total == "1 finished, 1 running, 1 waiting"
