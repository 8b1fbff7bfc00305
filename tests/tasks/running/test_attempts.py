"""What cut-off attempts have cost is the cost of the run that ends well."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from metering import atomic_file
from metering.record import FILE_NAME, Energy, Overhead, PhaseRecord, Reading, Status
from metering.record_file import write
from tasks.plan import Plan
from tasks.running import attempt, attempts
from tasks.running.execute import empty_record

LONG_AGO = "2001-01-01T00:00:00+00:00"


def _attempt(plan: Plan, status: Status, cpu_kwh: float) -> None:
    record = empty_record(plan, status, "2026-01-01T00:00:00+00:00")
    spent = Overhead("set-up", 1.0, Energy(cpu_kwh=cpu_kwh))
    write(dataclasses.replace(record, overheads=(spent,)), plan.folder)
    attempts.put_aside(plan.folder)


def test_each_attempt_that_did_not_finish_is_an_overhead(compose: Callable[..., Plan]) -> None:
    plan = compose()
    _attempt(plan, "interrupted", 0.25)
    _attempt(plan, "failed", 1.0)
    cost = attempts.unfinished_cost(plan.folder)
    assert [each.energy for each in cost] == [Energy(cpu_kwh=0.25), Energy(cpu_kwh=1.0)]
    assert cost[0].name.startswith("interrupted attempt of 2026")
    assert cost[1].name.startswith("failed attempt of 2026")


def test_its_duration_is_the_sum_of_those_whose_energies_it_sums(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    block = Reading(0.0, 4.0, 1, 8, Energy(cpu_kwh=0.5), Energy(gpu_kwh=0.125))
    phase = PhaseRecord("train", (block, block), {}, None, None, "num_steps", 8)
    record = dataclasses.replace(
        empty_record(plan, "failed", LONG_AGO),  # its times say a quarter of a century
        phases={"train": phase},
        overheads=(
            Overhead("set-up", 1.5, Energy(cpu_kwh=0.25)),
            Overhead("interrupted attempt of 2026", 60.0, Energy(cpu_kwh=8.0)),  # counted by itself
        ),
    )
    write(record, plan.folder)
    attempts.put_aside(plan.folder)
    (cost,) = attempts.unfinished_cost(plan.folder)
    assert cost.duration_s == 1.5 + 2 * 4.0
    assert cost.energy == Energy(cpu_kwh=0.25 + 2 * 0.5, gpu_kwh=2 * 0.125)


def test_what_a_finished_record_has_counted_is_not_counted_again(
    compose: Callable[..., Plan],
) -> None:
    plan = compose()
    _attempt(plan, "interrupted", 0.25)
    _attempt(plan, "finished", 1.0)
    assert attempts.unfinished_cost(plan.folder) == ()


def test_what_a_killed_writer_left_is_swept_away(compose: Callable[..., Plan]) -> None:
    plan = compose()
    plan.folder.mkdir(parents=True)
    with atomic_file.replacing(plan.folder / FILE_NAME) as temporary:
        left = shutil.copy(temporary, temporary.with_suffix(".killed.tmp"))
    (plan.folder / FILE_NAME).unlink()
    assert list(plan.folder.iterdir()) == [Path(left)]
    attempts.sweep_drafts(plan.folder)
    assert list(plan.folder.iterdir()) == []


def test_a_loss_that_is_no_number_is_left_out_and_told() -> None:
    """The steps of a training that diverges were measured all the same."""
    assert attempt.no_numbers({"train_loss": float("nan"), "top1_pct": 3.0}) == (
        "train_loss is nan, as of a training that diverges; it is left out",
    )
