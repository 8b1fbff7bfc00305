"""A board's power limit over the stand-in for NVML: set for as long as a process holds it, put back
however that ends. No real board is touched."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.metering.nvml_stand_in.state import StandIn, StandInGpu

NO_PERMISSION, UNKNOWN = 4, 999
SET = "nvmlDeviceSetPowerManagementLimit"


class Boards:
    """A machine of stand-ins, and processes that hold limits on it."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.state = folder / "state"
        self.stand_in = StandIn(folder, [StandInGpu("GPU-a"), StandInGpu("GPU-b")]).write()
        self.environment = self.stand_in.environment(library) | {"XDG_STATE_HOME": str(self.state)}

    def start(self, word: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.metering.nvml_stand_in.hold_limit", word]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment | environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def hold(self, watts: str, **environment: str) -> subprocess.Popen[str]:
        """A process that has set the limit and waits."""
        process = self.start(watts, **environment)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == "held"
        return process

    def say(self, word: str, **environment: str) -> object:
        """What a process says last that is left to end by itself."""
        process = self.start(word, **environment)
        out, err = process.communicate("", timeout=30)
        assert process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    @property
    def limits_set(self) -> list[tuple[str, float]]:
        return self.stand_in.limits_set

    @property
    def journal(self) -> list[str]:
        return [path.stem for path in self.state.glob("watt-for-what/power-limits/*.json")]


@pytest.fixture
def boards(nvml_library: Path, tmp_path: Path) -> Boards:
    return Boards(tmp_path, nvml_library)


def test_the_jobs_boards_alone_are_limited_and_put_back(boards):
    assert boards.say("250", CUDA_VISIBLE_DEVICES="1") == "ended"
    assert boards.limits_set == [("GPU-b", 250.0), ("GPU-b", 400.0)]
    assert boards.journal == []


def test_a_limit_that_a_board_has_already_is_not_touched(boards):
    assert boards.say("400") == "ended"
    assert boards.limits_set == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_asked_to_end_puts_the_limit_back(boards, number):
    process = boards.hold("250", CUDA_VISIBLE_DEVICES="0")
    assert boards.journal == ["GPU-a"]
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert json.loads(out) == f"ended by {number.name}"
    assert boards.limits_set[-1] == ("GPU-a", 400.0)
    assert boards.journal == []


def killed(boards: Boards) -> subprocess.Popen[str]:
    process = boards.hold("250", CUDA_VISIBLE_DEVICES="0")
    process.kill()
    process.communicate(timeout=30)
    assert boards.limits_set == [("GPU-a", 250.0)]
    return process


def test_what_a_killed_process_left_is_put_back_at_the_next_start(boards):
    process = killed(boards)
    (line,) = boards.say("restore")
    assert "GPU-a was put back to 400 W" in line and str(process.pid) in line
    assert boards.limits_set[-1] == ("GPU-a", 400.0)
    assert boards.say("restore") == []


def test_the_next_run_on_that_board_remembers_the_limit_before_both(boards):
    killed(boards)
    assert boards.say("300", CUDA_VISIBLE_DEVICES="0") == "ended"
    assert [watts for _, watts in boards.limits_set] == [250.0, 400.0, 300.0, 400.0]


def test_a_limit_that_somebody_has_changed_since_is_left(boards):
    killed(boards)
    with (boards.stand_in.path.parent / "state.txt.limits").open("a") as log:
        log.write("GPU-a 300\n")
    assert boards.say("restore") == []
    assert boards.limits_set[-1] == ("GPU-a", 300.0)
    assert boards.journal == []


def test_a_board_of_another_machine_that_shares_the_folder_is_left_in_the_journal(boards):
    killed(boards)
    boards.stand_in.gpus = [StandInGpu("GPU-z")]
    boards.stand_in.write()
    assert boards.say("restore") == []
    assert boards.journal == ["GPU-a"]


def test_a_limit_of_an_earlier_start_of_the_machine_is_no_longer_there_to_put_back(boards):
    killed(boards)
    (path,) = boards.state.glob("watt-for-what/power-limits/*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"boot_id": "another"}))
    assert boards.say("restore") == []
    assert boards.limits_set == [("GPU-a", 250.0)]
    assert boards.journal == []


def test_a_board_that_is_lost_meanwhile_stays_in_the_journal_with_the_command(boards):
    process = boards.hold("250", CUDA_VISIBLE_DEVICES="0")
    boards.stand_in.gpus[0].lost_at_s = 0.0
    boards.stand_in.write()
    _, err = process.communicate("", timeout=30)
    assert "sudo nvidia-smi -i GPU-a --power-limit=400" in err
    assert boards.journal == ["GPU-a"]


def test_a_board_that_another_process_holds_is_refused(boards):
    process = boards.hold("250", CUDA_VISIBLE_DEVICES="0")
    said = boards.say("300")
    assert f"process {process.pid} holds GPU-a at 250 W" in said
    assert boards.limits_set == [("GPU-a", 250.0)]
    process.communicate("", timeout=30)


Change = Callable[[Boards], None]


def without_permission(boards: Boards) -> None:
    boards.stand_in.gpus[0].errors = {SET: NO_PERMISSION}


def split_by_mig(boards: Boards) -> None:
    boards.stand_in.gpus[0].mig = 1


def without_limit(boards: Boards) -> None:
    boards.stand_in.gpus[0].errors = {"nvmlDeviceGetPowerManagementLimitConstraints": 3}


@pytest.mark.parametrize(
    ("change", "watts", "words"),
    [
        (lambda boards: None, "99", "takes 100 to 400 W"),
        (lambda boards: None, "401", "takes 100 to 400 W"),
        (without_permission, "250", "this user may not set the limit"),
        (split_by_mig, "250", "split by MIG"),
        (without_limit, "250", "has no limit to set"),
    ],
    ids=["below", "above", "permission", "MIG", "not supported"],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(boards, change: Change, watts, words):
    change(boards)
    boards.stand_in.write()
    assert words in str(boards.say(watts))
    assert boards.limits_set == []
    assert boards.journal == []


def test_a_board_that_refuses_gives_the_others_back(boards):
    boards.stand_in.gpus[1].errors = {SET: UNKNOWN}
    boards.stand_in.write()
    assert "GPU-b" in str(boards.say("250"))
    assert boards.limits_set == [("GPU-a", 250.0), ("GPU-a", 400.0)]
    assert boards.journal == []


def test_no_limit_is_set_where_the_lock_cannot_be_had(boards):
    (boards.state / "watt-for-what/power-limits/.lock").mkdir(parents=True)
    assert "cannot be written down" in str(boards.say("250"))
    assert boards.limits_set == []


def test_a_damaged_entry_is_named_and_holds_up_no_other_run(boards):
    folder = boards.state / "watt-for-what/power-limits"
    folder.mkdir(parents=True)
    (folder / "GPU-a.json").write_text("{")
    (line,) = boards.say("restore")
    assert "GPU-a.json cannot be read" in line
    assert "GPU-a.json cannot be read" in str(boards.say("250", CUDA_VISIBLE_DEVICES="0"))
    assert boards.say("250", CUDA_VISIBLE_DEVICES="1") == "ended"


def test_no_limit_is_set_where_what_to_put_back_cannot_be_written_down(boards):
    boards.state.write_text("a file in the folder's place")
    assert "set XDG_STATE_HOME" in str(boards.say("250"))
    assert boards.limits_set == []


def test_the_doctor_tells_what_was_left_and_how_to_undo_it(boards):
    command = [sys.executable, "-m", "metering.doctor", "--json"]
    process = killed(boards)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=boards.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (line,) = [line for line in json.loads(done.stdout) if line["topic"] == "power limit"]
    assert line["level"] == "warning"
    assert f"left at 250 W by process {process.pid}" in line["finding"]
    assert "sudo nvidia-smi -i GPU-a --power-limit=400" in line["cure"]
