"""What cut-off attempts have cost is the cost of the run that ends well."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from metering.record import Energy, Overhead, Status, write
from tasks import attempts
from tasks.execute import empty_record
from tasks.plan import Plan


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
