"""`watt exec -- COMMAND`: real programs, their exit status, signals, children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import watt_for_what as watt
from analysis.tables.paper import all_tables
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
WATT = [sys.executable, "-m", "watt_for_what", "exec"]


def watt_exec(tmp_path, *arguments, **environment):
    return subprocess.run(
        [*WATT, *arguments],
        env=ENVIRONMENT | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def only_record(tmp_path):
    [path] = tmp_path.rglob("record.json")
    return watt.read_record(path)


def test_a_program_that_nobody_may_touch(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("import sys, time; time.sleep(0.5); print('trained', sys.argv[1:])\n")
    said = ["--samples", "500", "--batch-size", "8", "--data", "my-set"]
    done = watt_exec(tmp_path, *said, "--", sys.executable, "train.py", "--epochs", "1")
    assert (done.returncode, done.stdout) == (0, "trained ['--epochs', '1']\n"), done.stderr
    record = only_record(tmp_path)
    [block] = record.phases["train"].readings
    rate = record.phases["train"].energy_kwh_per_sample
    assert record.status == "finished" and record.model == "train"
    assert block.duration_s >= 0.5 and block.num_samples == 500
    assert rate.mean == pytest.approx(block.energy.total_kwh / 500) and rate.half_width is None
    assert record.config["command"][1:] == ["train.py", "--epochs", "1"]
    assert "children" in record.notes[0]
    [row] = all_tables(watt.load([tmp_path]).frame)["own"].to_dict("records")
    assert row["measured_train_kwh_per_sample"] == pytest.approx(rate.mean)


@pytest.mark.parametrize(("alone", "has_cpu"), [([], False), (["--has-nodes-alone"], True)])
def test_a_shared_nodes_cpu_is_not_the_jobs(alone, has_cpu, tmp_path):
    done = watt_exec(tmp_path, "--samples", "5", *alone, "--", "true", SLURM_JOB_ID="22")
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    [block] = record.phases["train"].readings
    assert (block.energy.cpu_kwh is not None) == has_cpu
    assert record.scheduler.job_id == "22"


def test_unknown_samples_are_said_and_a_failing_status_is_passed_on(tmp_path):
    done = watt_exec(tmp_path, "--name", "bad", "--", sys.executable, "-c", "raise SystemExit(7)")
    record = only_record(tmp_path)
    assert done.returncode == 7
    assert record.status == "failed" and record.failure.message.endswith("exit status 7")
    assert record.phases["train"].energy_kwh_per_sample is None
    assert record.phases["train"].readings[0].energy.total_kwh > 0
    assert any(note.startswith("samples unknown") for note in record.notes)
    assert "bad: no rate" not in done.stdout


def test_a_signal_reaches_the_program_which_ends_as_it_likes(tmp_path):
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "open('ready', 'w').close()\n"
        "time.sleep(60)\n"
    )
    command = [*WATT, "--name", "long", "--", sys.executable, "-c", code]
    with subprocess.Popen(command, env=ENVIRONMENT, cwd=tmp_path, stderr=subprocess.PIPE) as watt_:
        until_s = time.monotonic() + 60
        while not (tmp_path / "ready").exists() and time.monotonic() < until_s:
            time.sleep(0.02)
        watt_.send_signal(signal.SIGTERM)
        watt_.communicate(timeout=60)
    record = only_record(tmp_path)
    assert watt_.returncode == 5
    assert record.status == "interrupted" and record.phases["train"].readings


def test_a_program_that_a_signal_ends(tmp_path):
    done = watt_exec(tmp_path, "--", "sh", "-c", "kill -KILL $$")
    assert done.returncode == 128 + signal.SIGKILL
    assert only_record(tmp_path).failure.message.endswith("exit status 137")


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        ([], 2, "error: no command: watt exec -- python train.py"),
        (["--", "no-such-program"], 127, "error: command 'no-such-program' is not found; see"),
        (["--samples", "0", "--", "true"], 2, "error: --samples=0 is no whole number"),
        (["--country", "GRB", "--", "true"], 2, "error: country='GRB' is unknown; did you mean"),
        (["--output-dir", "/proc/no", "--", "true"], 2, "error: output_dir='/proc/no' cannot be"),
    ],
)
def test_orders_that_cannot_be_followed(arguments, status, line, tmp_path):
    done = watt_exec(tmp_path, *arguments)
    assert done.returncode == status
    assert done.stderr.startswith(line) and done.stderr.count("\n") == 1
    assert list(tmp_path.rglob("record.json")) == []


@pytest.mark.parametrize(
    ("first_line", "status"), [("#!/no/such/interpreter", 127), ("\x7fELF of no machine", 126)]
)
def test_a_program_that_the_system_cannot_start(first_line, status, tmp_path):
    program = tmp_path / "program"
    program.write_text(first_line)
    program.chmod(0o755)
    done = watt_exec(tmp_path, "--", "./program")
    assert done.returncode == status
    assert done.stderr.startswith("error: ./program cannot be started: "), done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("record.json"))


def test_a_record_that_cannot_be_written_hides_neither_the_reading_nor_the_programs_end(tmp_path):
    done = watt_exec(tmp_path, "--", "sh", "-c", "rm -r runs; touch runs; exit 5")
    assert done.returncode == 5, done.stderr
    reading, error = done.stderr.splitlines()
    assert reading.startswith("sh: ") and " in " in reading
    assert error.startswith("error: the record cannot be written to ")
