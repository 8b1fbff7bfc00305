"""What a loop of the user's own says while it is measured."""

from __future__ import annotations

import io
import re
import sys
import time

import pytest

import watt_for_what as watt
from tests.watt_for_what.conftest import QUICK
from watt_for_what import progress

pytestmark = pytest.mark.slow


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.fixture
def run_loop(tmp_path):
    """A loop of two seconds or less."""

    def run(num_steps=10_000, **said):
        settings = {"meter": watt.MeterSettings(**QUICK)} | said
        with (
            watt.measure("mine", batch_size=2, output_dir=tmp_path, **settings) as run,
            run.window("train") as window,
        ):
            for _ in range(num_steps):
                time.sleep(0.002)
                if window.step(2):
                    break

    return run


def test_a_log_has_a_line_as_it_begins_one_a_minute_and_one_as_it_ends(run_loop, capsys):
    run_loop()
    began, ended, *_ = capsys.readouterr().err.splitlines()
    assert began == "mine: train: measuring for at most 2 s"
    assert ended == "mine: train: metering is over; the loop may end or go on"


def test_the_line_of_a_minute_has_the_rate_its_interval_and_the_time_left(
    run_loop, capsys, monkeypatch
):
    monkeypatch.setattr(progress, "PLAIN_PERIOD_S", 0.0)
    monkeypatch.setattr(progress, "TIME_SHARE", 1.0)
    run_loop()
    said = [text for text in capsys.readouterr().err.splitlines() if ": train: block " in text]
    assert said and said[-1].startswith("mine: train: block ")
    assert " J a sample (± " in said[-1] and re.search(r", at most \d s left$", said[-1])


def test_a_whole_training_says_how_long_it_has_been_measured(run_loop, capsys, monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_PERIOD_S", 0.0)
    monkeypatch.setattr(progress, "TIME_SHARE", 1.0)
    run_loop(num_steps=50, whole=True, meter=None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "mine: train: measuring to the end of the loop"
    assert any(line.endswith(" s so far") and "J a sample" in line for line in lines)


def test_quiet_says_nothing(run_loop, capsys):
    run_loop(quiet=True)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_has_one_live_line_which_a_progress_bar_of_the_users_replaces(
    run_loop, monkeypatch
):
    monkeypatch.setattr(sys, "stderr", Terminal())
    run_loop()
    written = sys.stderr.getvalue()
    assert "\x1b[2K" in written and "mine: train: " in written and "J a sample" in written

    from tqdm import tqdm

    monkeypatch.setattr(sys, "stderr", Terminal())
    with tqdm(total=1, file=io.StringIO()):
        run_loop()
    assert "\x1b[2K" not in sys.stderr.getvalue()
    assert "mine: train: metering is over" in sys.stderr.getvalue()


def test_a_terminal_that_is_gone_does_not_end_the_training(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Gone())
    line = progress.LoopProgress("mine", None)
    line.begin("train")
    line.close()
