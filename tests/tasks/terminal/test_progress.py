"""The progress line says which run of how many, what it needs so far, and the time left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from metering.progress import PhaseBegun, Progress, RunBegun
from metering.record import Interval, PhaseRecord
from tasks.plan import Plan
from tasks.terminal import progress
from tasks.terminal.progress import Line, Pace


def so_far(joules: float | None) -> PhaseRecord:
    energy = None if joules is None else Interval(joules / 3.6e6, joules / 3.6e7, num_blocks=5)
    return PhaseRecord("train", (), {}, energy, None, "end_of_data", batch_size=8)


def progress_of(joules: float | None, time_left_s: float = 30.0) -> Progress:
    return Progress("train", 14, True, 10.0, time_left_s, lambda: so_far(joules), ())


def test_the_line_names_run_model_phase_joules_interval_and_time(
    compose: Callable[..., Plan],
) -> None:
    now_s = [0.0]
    pace = Pace(lambda: now_s[0])
    now_s[0] = 100.0
    pace.end(reused=False)  # one run of the sweep took 100 s
    line = Line(compose("model=resnet18", "meter.time_budget_s=40"), pace)
    assert line.of(RunBegun("resnet18", 2, 4)) == "run 2 of 4: resnet18"
    assert line.of(PhaseBegun("resnet18", "train")) == "run 2 of 4, resnet18: train"
    # 30 s of training and at most 40 s of testing, then two runs more
    assert line.of(progress_of(1.5)) == (
        "run 2 of 4, resnet18: train: measuring, block 14, 1.5 J a sample (± 10.0 %), "
        "at most 70 s left, about 4 min of the sweep"
    )


def test_a_run_by_itself_and_one_without_a_reading_yet(compose: Callable[..., Plan]) -> None:
    line = Line(compose("model=resnet18", "phases=train"), Pace())
    assert line.of(progress_of(None)) == (
        "resnet18: train: measuring, block 14, no energy read yet, at most 30 s left"
    )
    assert line.of("building resnet18") == "building resnet18"


def test_a_fixed_number_of_steps_takes_as_long_in_the_next_phase(
    compose: Callable[..., Plan],
) -> None:
    line = Line(compose("model=resnet18", "meter=fixed"), Pace())
    assert "at most 70 s left" in line.of(progress_of(1.0))


def test_a_run_that_was_measured_earlier_tells_nothing_of_the_pace() -> None:
    pace = Pace()
    pace.end(reused=True)
    assert pace.left_s(3, 10.0) is None


def test_a_log_gets_one_line_a_minute_and_one_for_all_that_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_s = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    plain = progress._Plain(Line(None, Pace()))
    for second in range(0, 125):
        now_s[0] = float(second)
        plain(progress_of(1.0))
    plain("building resnet18")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4 and lines[-1] == "building resnet18"
