"""What a run says at its end holds everything that its reader has to know."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from metering.record import FILE_NAME, Failure, Interval, PhaseRecord, Sensor
from metering.record_file import read, write
from tasks.plan import Plan
from tasks.running.execute import Outcome, empty_record, reused
from tasks.terminal.summary import summary_lines


def test_intervals_flags_notes_and_sensors_are_named(compose: Callable[..., Plan]) -> None:
    plan = compose()
    train = PhaseRecord(
        phase="train",
        readings=(),
        sensors={"gpu": Sensor("counter"), "cpu": Sensor("absent"), "ram": Sensor("modelled")},
        energy_kwh_per_sample=Interval(1e-6, 1e-7, num_blocks=12),
        duration_s_per_sample=Interval(0.5, 0.1, num_blocks=12),
        stop_reason="time_budget",
        batch_size=8,
        flags=("CodeCarbon's GPU energy differs by 5.0 % from this suite's own reading",),
    )
    bare = empty_record(plan, "finished", "2026-01-01T00:00:00+00:00")
    record = dataclasses.replace(bare, phases={"train": train}, notes=("random weights",))
    lines = summary_lines(Outcome(record, plan.folder))
    assert lines[1:4] == [
        "  train: 3.6 J a sample (± 10.0 %), 2 samples/s, 12 blocks, "
        "stopped by meter.time_budget_s",
        "    note: CodeCarbon's GPU energy differs by 5.0 % from this suite's own reading",
        "  note: random weights",
    ]
    assert lines[4] == (
        "  sensors: GPU hardware energy counter; CPU absent; RAM modelled, not measured"
    )


def test_a_failure_without_words_is_called_by_its_type(compose: Callable[..., Plan]) -> None:
    plan = compose()
    bare = empty_record(plan, "failed", "2026-01-01T00:00:00+00:00")
    record = dataclasses.replace(bare, failure=Failure(type="StopIteration", message=""))
    assert summary_lines(Outcome(record, plan.folder))[0].endswith(": failed: StopIteration")


def test_a_record_that_answers_for_another_recipe_says_so(compose: Callable[..., Plan]) -> None:
    plan = compose("model=beitv2_b")
    write(empty_record(plan, "finished", "2026-01-01T00:00:00+00:00"), plan.folder)
    record = read(plan.folder / FILE_NAME)
    note = "  note: its record keeps the recipe it was measured with; "
    said = summary_lines(reused(record, plan.folder, plan))
    assert said[0].endswith("measured earlier, not run again")
    assert not any(line.startswith(note) for line in said)
    shorter = compose(
        "model=beitv2_b",
        "model.recipe=[{name: train, dataset: mine, num_samples: 9, num_epochs: 2}]",
    )
    assert shorter.identity == plan.identity
    assert any(
        line.startswith(note) for line in summary_lines(reused(record, plan.folder, shorter))
    )
