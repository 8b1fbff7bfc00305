"""The cost of a sweep before it is submitted: whose numbers, and what is unknown."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from launchers import cost, died, failed, preview, single
from metering.record import Failure, Interval, PhaseRecord
from metering.record_file import summary_from_json, write
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import empty_record


def _record_of(plan: Plan) -> None:
    """A finished train phase of 2 J and 10 ms a sample."""
    phase = PhaseRecord(
        phase="train",
        readings=(),
        sensors={},
        stop_reason="num_steps",
        batch_size=32,
        energy_kwh_per_sample=Interval(2 / 3.6e6, None),
        duration_s_per_sample=Interval(0.01, None),
    )
    record = empty_record(plan, "finished", "2026-01-01T00:00:00+00:00")
    write(dataclasses.replace(record, phases={"train": phase}), plan.folder)


PAPER = ("model=mobilenet_v2", "meter=paper", "hardware=a6000", "phases=train")


def test_an_earlier_record_goes_before_published_numbers(compose: Callable[..., Plan]) -> None:
    _record_of(compose(*PAPER, "seed=1"))
    forecast = cost.cost(compose(*PAPER))
    num_samples = 4004 * 32  # a tenth of ImageNet-1k in batches of 32, the last one full
    assert forecast.source == cost.EARLIER
    assert forecast.energy_kwh == pytest.approx(2 * num_samples / 3.6e6)
    assert forecast.gpu_hours == pytest.approx(0.01 * num_samples / 3600)


def test_without_records_the_papers_kwh_counts_and_its_hours_are_unknown(
    compose: Callable[..., Plan],
) -> None:
    forecast = cost.cost(compose(*PAPER))
    # 0.10768 kWh an epoch of 1,281,167 images: 16.152 kWh (Table 3) over 150 epochs
    assert (forecast.source, forecast.gpu_hours) == (cost.PUBLISHED, None)
    assert forecast.energy_kwh == pytest.approx(0.010768, rel=1e-3)


def test_a_test_phase_counts_by_the_published_test_set(compose: Callable[..., Plan]) -> None:
    forecast = cost.cost(compose(*PAPER, "phases=test"))
    # 0.001622 kWh (Table 3) for 50,000 images
    assert forecast.energy_kwh == pytest.approx(0.001622 * 4004 * 32 / 50_000)


@pytest.mark.parametrize(
    ("model", "data", "kwh"),
    [
        # 26.2061 kWh for 80,000 iterations of 8 (Table 1 less the backbone's row)
        ("pspnet", "cityscapes", 26.2061 * 8 * 100 / 640_000),
        # 23.3598 kWh for 15 epochs of 168,913 clips (Table 2 less the base row)
        ("timesformer", "sthv2", 23.3598 * 8 * 100 / 2_533_695),
    ],
)
def test_the_other_tasks_have_published_rates_too(
    compose: Callable[..., Plan], model: str, data: str, kwh: float
) -> None:
    forecast = cost.cost(
        compose(
            f"model={model}",
            f"data={data}",
            "meter=fixed",
            "phases=train",
            "batch_size=8",
            "meter.num_warmup_steps=0",
        )
    )
    assert (forecast.source, forecast.energy_kwh) == (cost.PUBLISHED, pytest.approx(kwh))


def test_the_adaptive_meter_is_bounded_by_its_budget_and_the_boards_power(
    compose: Callable[..., Plan],
) -> None:
    forecast = cost.cost(compose("hardware=v100x4", "meter.time_budget_s=90"))
    assert forecast.source == cost.AT_MOST
    assert forecast.gpu_hours == pytest.approx(4 * 2 * 90 / 3600)
    assert forecast.energy_kwh == pytest.approx(4 * 2 * 90 / 3600 * 0.3)


def test_what_nobody_knows_is_unknown_and_not_zero(compose: Callable[..., Plan]) -> None:
    nothing = cost.cost(compose("model=resnet50d", "meter=fixed"))
    known = cost.Cost(3600.0, 1.5, 0.5, cost.EARLIER)
    assert nothing == cost.Cost(None, None, None, cost.UNKNOWN)
    assert preview.cost_lines([preview.Bill(nothing, 0.2)])[0] == (
        "1 run, hours measured unknown, GPU-hours unknown, kWh unknown, kg CO2eq unknown: "
        "nothing known"
    )
    assert preview.cost_lines([preview.Bill(nothing, 0.1), preview.Bill(known, 0.2, (0.5, "EUR"))])[
        0
    ] == (
        "2 runs, 1 hours measured (1 run unknown), 1.5 GPU-hours (1 run unknown), "
        "0.5 kWh (1 run unknown), 0.1 kg CO2eq (1 run unknown), 0.25 EUR"
    )


def test_without_a_country_no_emissions_are_previewed() -> None:
    known = cost.Cost(3600.0, 1.5, 0.5, cost.EARLIER)
    total, *said = preview.cost_lines([preview.Bill(known, None)])
    assert "kg CO2eq unknown" in total
    assert said == ["  CO2eq: not known where hardware.country_iso_code is not set"]


def test_a_dry_run_prints_sbatch_text_and_cost_and_submits_nothing(
    run_py: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_py(
        "-m",
        "model=mobilenet_v2,resnet18",
        "hardware=a6000",
        "meter=paper",
        "hydra/launcher=slurm",
        "dry_run=true",
    )
    assert done.returncode == 0, done.stderr
    assert "#SBATCH --gres=gpu:a6000:1" in done.stdout
    assert "#SBATCH --array=0-1%2" in done.stdout
    assert "2 runs, hours measured unknown, GPU-hours unknown, 0.0" in done.stdout
    assert cost.PUBLISHED in done.stdout
    assert "kg CO2eq" in done.stdout


def test_a_fixed_number_of_steps_takes_the_rate_that_another_meter_measured(
    compose: Callable[..., Plan],
) -> None:
    _record_of(compose(*PAPER))
    fixed = (*PAPER[:1], *PAPER[2:], "meter=fixed", "meter.num_steps=2", "meter.num_warmup_steps=0")
    known = cost.cost(compose(*fixed))
    assert known.source == cost.OTHER_METER
    assert known.duration_s == pytest.approx(2 * 32 * 0.01)
    assert known.energy_kwh == pytest.approx(2 * 32 * 2 / 3.6e6)


def test_a_dry_run_of_one_run_says_time_energy_emissions_and_money(
    run_py: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_py(
        "model=mobilenet_v2",
        "hardware=a6000",
        "meter.time_budget_s=90",
        "hardware.price_per_kwh=0.5 EUR",
        "hardware.country_iso_code=GBR",
        "dry_run=true",
    )
    assert done.returncode == 0, done.stderr
    line, total, emissions, money = done.stdout.splitlines()
    assert line.endswith(f"3 min measured, 0.015 kWh: {cost.AT_MOST}")
    assert total.startswith("1 run, 0.05 hours measured, 0.05 GPU-hours, 0.015 kWh, ")
    assert total.endswith(f" kg CO2eq, 0.0075 EUR: {cost.AT_MOST}")
    assert "CodeCarbon's factor" in emissions
    assert money.endswith("hardware.price_per_kwh, 0.5 EUR per kWh")


@pytest.mark.parametrize("price", ["0.5", "EUR", "0 EUR", "nan EUR", "0.5 euros"])
def test_a_price_is_a_number_and_a_currency(compose: Callable[..., Plan], price: str) -> None:
    with pytest.raises(PlanError, match=r"hardware.price_per_kwh=.* is no price of a kWh"):
        compose(f"hardware.price_per_kwh={price}")


def test_what_died_here_is_said_and_costs_nothing_more(
    compose: Callable[..., Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = compose("model=resnet50d", "meter=fixed")
    failure = Failure(type=died.DIED, message="killed by signal 11", traceback="")
    failed.leave_record(plan, failure, draft=failed.Draft("2026-01-01T00:00:00+00:00"))
    single.preview([plan])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("died earlier, will not run again (retry_failed=true does)")
    assert not preview.why_not_run(plan, is_here=False)  # a job may meet another machine
    again = compose("model=resnet50d", "meter=fixed", "retry_failed=true")
    assert not preview.why_not_run(again, is_here=True)


def test_a_machine_without_a_gpu_takes_no_gpu_hours(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cost, "AMD_DRIVER", tmp_path / "none")
    plan = compose("meter.time_budget_s=90", "phases=train")
    monkeypatch.setattr(cost, "job_gpus", lambda: [])
    assert cost.cost(plan, is_here=True).gpu_hours == 0
    monkeypatch.setattr(cost, "job_gpus", lambda: ["a GPU"])
    assert cost.cost(plan, is_here=True).gpu_hours == pytest.approx(90 / 3600)
    assert cost.cost(plan).gpu_hours == pytest.approx(90 / 3600)


def test_a_sweeps_preview_reads_each_earlier_record_once(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = compose(*PAPER)
    for batch_size in (2, 4, 6):
        _record_of(dataclasses.replace(base, batch_size=batch_size))
    texts: list[bytes] = []

    def count(text: bytes) -> object:
        texts.append(text)
        return summary_from_json(text)

    monkeypatch.setattr(cost, "summary_from_json", count)
    plans = [dataclasses.replace(base, batch_size=2 * number) for number in range(1, 11)]
    sources = [cost.cost(plan).source for plan in plans]
    assert sources == [cost.EARLIER] * 3 + [cost.PUBLISHED] * 7
    assert len(texts) == 3
