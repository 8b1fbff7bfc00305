"""What cut-off attempts have cost is the cost of the run that ends well."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from metering import atomic_file
from metering.record import FILE_NAME, Energy, Overhead, Status
from metering.record_file import write
from tasks.plan import Plan
from tasks.running import attempts
from tasks.running.execute import empty_record


def _attempt(plan: Plan, status: Status, cpu_kwh: float) -> None:
    record = empty_record(plan, status, "2026-01-01T00:00:00+00:00")
    spent = Overhead("set-up", 1.0, Energy(cpu_kwh=cpu_kwh))
    write(dataclasses.replace(record, overheads=(spent,)), plan.folder)
    attempts.put_aside(plan.folder)


def test_each_interrupted_attempt_is_an_overhead_and_a_failed_one_is_not(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    _attempt(plan, "interrupted", 0.25)
    _attempt(plan, "failed", 1.0)
    _attempt(plan, "interrupted", 0.5)
    cost = attempts.interrupted_cost(plan.folder)
    assert [each.energy for each in cost] == [Energy(cpu_kwh=0.25), Energy(cpu_kwh=0.5)]
    assert all(each.name.startswith("interrupted attempt of 2026") for each in cost)


def test_what_a_finished_record_has_counted_is_not_counted_again(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    _attempt(plan, "interrupted", 0.25)
    _attempt(plan, "finished", 1.0)
    assert attempts.interrupted_cost(plan.folder) == ()


@pytest.mark.parametrize("started_at", ["", "yesterday", "2026-01-01T00:00:00"])
def test_times_that_cannot_be_read_do_not_cost_the_new_measurement(
    compose: Callable[..., Plan], started_at: str
) -> None:
    plan = compose()
    record = empty_record(plan, "interrupted", started_at)
    spent = Overhead("set-up", 1.0, Energy(cpu_kwh=0.25))
    write(dataclasses.replace(record, overheads=(spent,)), plan.folder)
    attempts.put_aside(plan.folder)
    (cost,) = attempts.interrupted_cost(plan.folder)
    assert (cost.energy.cpu_kwh, cost.duration_s) == (0.25, 0.0)


def test_what_a_killed_writer_left_is_swept_away(compose: Callable[..., Plan]) -> None:
    plan = compose()
    plan.folder.mkdir(parents=True)
    with atomic_file.replacing(plan.folder / FILE_NAME) as temporary:
        left = shutil.copy(temporary, temporary.with_suffix(".killed.tmp"))
    (plan.folder / FILE_NAME).unlink()
    assert list(plan.folder.iterdir()) == [Path(left)]
    attempts.sweep_drafts(plan.folder)
    assert list(plan.folder.iterdir()) == []
