"""What a sweep would submit and cost, before it is submitted."""

from __future__ import annotations

from collections.abc import Sequence

from launchers import slurm_submit
from launchers.cost import Cost, cost
from launchers.slurm_queue import slurm_folder
from launchers.slurm_resources import Array, SlurmSettings, group_key, job_name, sbatch_text
from tasks.plan import Plan


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
        refusal = slurm_submit.refusal(_sbatch_text(group[:1], settings))
        refusal = refusal or slurm_submit.over_time_limit(group[0].hardware)
        if refusal:
            refusals.append(f"SLURM would refuse hardware={group[0].hardware.name}: {refusal}")
    return "\n".join([*parts, *sweep_lines(plans)]), refusals


def sweep_lines(plans: Sequence[Plan]) -> list[str]:
    """The cost of the whole sweep, by where each number comes from."""
    from metering.emissions import emission_factor

    countries = {plan.hardware.country_iso_code for plan in plans}
    factors = {code: emission_factor(code)["kg_co2eq_per_kwh"] for code in countries}
    costs = [cost(plan) for plan in plans]
    of_each = [factors[plan.hardware.country_iso_code] for plan in plans]
    return cost_lines(costs, of_each)


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


def cost_lines(costs: Sequence[Cost], kg_co2eq_per_kwh: Sequence[float]) -> list[str]:
    """Runs, GPU-hours, kWh and kg CO2eq (by each run's own factor) in total, then by where the
    numbers come from. What is unknown is said and never counted as zero."""
    pairs = list(zip(costs, kg_co2eq_per_kwh, strict=True))
    lines = [_line(pairs)]
    for source in dict.fromkeys(each.source for each in costs):
        part = [pair for pair in pairs if pair[0].source == source]
        lines.append(f"  {_line(part)}: {source}")
    factors = ", ".join(f"{factor:.3g}" for factor in sorted(set(kg_co2eq_per_kwh)))
    return [*lines, f"  CO2eq: CodeCarbon's factor, {factors} kg per kWh"]


def _line(pairs: Sequence[tuple[Cost, float]]) -> str:
    hours = [each.gpu_hours for each, _ in pairs]
    energies = [each.energy_kwh for each, _ in pairs]
    emitted = [
        None if each.energy_kwh is None else each.energy_kwh * factor for each, factor in pairs
    ]
    return (
        f"{_runs(len(pairs))}, {_sum(hours, 'GPU-hours')}, {_sum(energies, 'kWh')}, "
        f"{_sum(emitted, 'kg CO2eq')}"
    )


def _sum(values: Sequence[float | None], unit: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return f"{unit} unknown"
    lacking = len(values) - len(known)
    note = f" ({_runs(lacking)} unknown)" if lacking else ""
    return f"{sum(known):.3g} {unit}{note}"


def _runs(number: int) -> str:
    return f"{number} run" if number == 1 else f"{number} runs"
