"""What a sweep would submit and cost, before it is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from launchers import died, slurm_check, slurm_limits, slurm_submit
from launchers.cost import Cost, cost
from launchers.settings import SlurmSettings
from launchers.slurm_queue import slurm_folder
from launchers.slurm_resources import Array, group_key, job_name, sbatch_text
from tasks.plan import Plan
from tasks.running.execute import finished, finished_here


def text(plans: Sequence[Plan], settings: SlurmSettings) -> tuple[str, list[str]]:
    """The sbatch text of every group, what SLURM would refuse, and the cost of the whole sweep;
    then what it would refuse alone."""
    groups: dict[str, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(group_key(plan.hardware), []).append(plan)
    parts, refusals = [], []
    for group in groups.values():
        parts.append(f"# {_runs(len(group))} on {group[0].hardware.name}")
        parts.append(_sbatch_text(group, settings))
        try:
            asked = group[0].hardware.slurm.get("partition")
            refusal = slurm_check.refusal(_sbatch_text(group[:1], settings), asked)
        except slurm_check.NotAsked as error:
            refusal = None
            parts.append(f"# not checked whether SLURM would take it: {error}")
        refusal = refusal or slurm_check.over_time_limit(group[0].hardware)
        refusal = refusal or slurm_limits.over_limit(group[0].hardware)
        if refusal:
            refusals.append(f"SLURM would refuse hardware={group[0].hardware.name}: {refusal}")
    return "\n".join([*parts, *sweep_lines(plans)]), refusals


def why_not_run(plan: Plan, is_here: bool) -> str:
    """Why `plan` would not be run, in words; empty where it would. is_here: on this machine."""
    if plan.force:
        return ""
    if finished_here(plan) if is_here else finished(plan):
        return "done, will not run again"
    if is_here and not plan.retry_failed and died.earlier(plan) is not None:
        return "died earlier, will not run again (retry_failed=true does)"
    return ""


def run_line(plan: Plan, is_here: bool = False) -> str:
    """One run: what it is, how long it would be measured, its kWh, and who says so. is_here: it
    would be run on this machine."""
    state = why_not_run(plan, is_here)
    if not state:
        known = cost(plan, is_here)
        energy = "kWh unknown" if known.energy_kwh is None else f"{known.energy_kwh:.3g} kWh"
        state = f"{_duration(known.duration_s)} measured, {energy}: {known.source}"
        if plan.meter.mode != "adaptive":
            num_steps = plan.meter.num_warmup_steps + (plan.meter.num_steps or 0)
            state = f"{num_steps} steps of each phase, {state}"
    return (
        f"{plan.task} model={plan.model.name} data={plan.data.name} "
        f"hardware={plan.hardware.name} batch_size={plan.batch_size} "
        f"{plan.precision} stage={plan.stage} scale={plan.scale} {plan.folder.name}: {state}"
    )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    if seconds < 60:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def sweep_lines(plans: Sequence[Plan], is_here: bool = False) -> list[str]:
    """The cost of the whole sweep, by where each number comes from. is_here: on this machine."""
    from metering.emissions import emission_factor

    factors = {
        code: None if (factor := emission_factor(code)) is None else factor["kg_co2eq_per_kwh"]
        for code in {plan.hardware.country_iso_code for plan in plans}
    }
    hardware = [plan.hardware for plan in plans]
    return cost_lines(
        [
            Bill(cost(plan, is_here), factors[profile.country_iso_code], profile.price)
            for plan, profile in zip(plans, hardware, strict=True)
        ]
    )


def _sbatch_text(plans: Sequence[Plan], settings: SlurmSettings) -> str:
    """As it would be for as many runs as one array may hold."""
    home = slurm_folder(plans[0].output_dir)
    most = slurm_submit.max_jobs_in_array() * settings.runs_per_job
    array = Array(
        folder=home / "jobs",
        plans_file=home / "jobs" / "SWEEP.plans",
        num_runs=min(len(plans), most),
        name=job_name(plans),
        code=[home / "code" / "DIGEST" / part for part in ("suite", "own")],
    )
    return sbatch_text(array, plans[0].hardware, settings)


@dataclass(frozen=True)
class Bill:
    """A run's cost, with what a kWh emits (`None` where nobody said the country) and its price
    (number and currency) where it runs."""

    cost: Cost
    kg_co2eq_per_kwh: float | None
    price: tuple[float, str] | None = None


def cost_lines(bills: Sequence[Bill]) -> list[str]:
    """Runs, time, GPU-hours, kWh, kg CO2eq and money in total; where the numbers come from several
    sources, then by source. What is unknown is said and never counted as zero."""
    by_source: dict[str, list[Bill]] = {}
    for bill in bills:
        by_source.setdefault(bill.cost.source, []).append(bill)
    if len(by_source) == 1:
        lines = [f"{_line(bills)}: {bills[0].cost.source}"]
    else:
        lines = [_line(bills)]
        lines += [f"  {_line(part)}: {source}" for source, part in by_source.items()]
    factors = [bill.kg_co2eq_per_kwh for bill in bills]
    if known := sorted({factor for factor in factors if factor is not None}):
        listed = ", ".join(f"{factor:.3g}" for factor in known)
        lines.append(f"  CO2eq: CodeCarbon's factor, {listed} kg per kWh")
    if None in factors:
        lines.append("  CO2eq: not known where hardware.country_iso_code is not set")
    prices = sorted({bill.price for bill in bills if bill.price is not None})
    if prices:
        listed = ", ".join(f"{amount:g} {currency}" for amount, currency in prices)
        lines.append(f"  money: hardware.price_per_kwh, {listed} per kWh")
    return lines


def _line(bills: Sequence[Bill]) -> str:
    costs = [bill.cost for bill in bills]
    durations = [None if c.duration_s is None else c.duration_s / 3600 for c in costs]
    energies = [c.energy_kwh for c in costs]
    emitted = [
        None
        if bill.cost.energy_kwh is None or bill.kg_co2eq_per_kwh is None
        else bill.cost.energy_kwh * bill.kg_co2eq_per_kwh
        for bill in bills
    ]
    parts = [
        _runs(len(bills)),
        _sum(durations, "hours measured"),
        _sum([c.gpu_hours for c in costs], "GPU-hours"),
        _sum(energies, "kWh"),
        _sum(emitted, "kg CO2eq"),
        *_money(bills),
    ]
    return ", ".join(parts)


def _money(bills: Sequence[Bill]) -> list[str]:
    """One sum for each currency in which a kWh is priced."""
    sums = []
    for currency in sorted({bill.price[1] for bill in bills if bill.price is not None}):
        amounts = [
            None if bill.cost.energy_kwh is None else bill.cost.energy_kwh * bill.price[0]
            for bill in bills
            if bill.price is not None and bill.price[1] == currency
        ]
        sums.append(_sum(amounts, currency))
    return sums


def _sum(values: Sequence[float | None], unit: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return f"{unit} unknown"
    lacking = len(values) - len(known)
    note = f" ({_runs(lacking)} unknown)" if lacking else ""
    return f"{sum(known):.3g} {unit}{note}"


def _runs(number: int) -> str:
    return f"{number} run" if number == 1 else f"{number} runs"
