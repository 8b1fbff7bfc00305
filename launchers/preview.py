"""What a sweep would submit and cost, before it is submitted."""

from __future__ import annotations

from collections.abc import Sequence

from launchers.cost import Cost, cost
from launchers.slurm_queue import slurm_folder
from launchers.slurm_resources import SlurmSettings, group_key, sbatch_text
from tasks.plan import Plan


def text(plans: Sequence[Plan], settings: SlurmSettings) -> str:
    """The sbatch text of every group, then the cost of the whole sweep."""
    from metering.codecarbon_meter import emission_factor

    groups: dict[str, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(group_key(plan.hardware), []).append(plan)
    parts = []
    for group in groups.values():
        folder = slurm_folder(group[0].output_dir) / "jobs"
        parts.append(f"# {len(group)} runs on {group[0].hardware.name}")
        parts.append(sbatch_text(folder, group[0].hardware, settings, len(group)))
    factor = emission_factor(plans[0].meter.country_iso_code)
    costs = [cost(plan) for plan in plans]
    return "\n".join([*parts, *cost_lines(costs, factor["kg_co2eq_per_kwh"])])


def cost_lines(costs: Sequence[Cost], kg_co2eq_per_kwh: float | None) -> list[str]:
    """Runs, GPU-hours, kWh and kg CO2eq in total, then by where the numbers come from.
    What is unknown is said and never counted as zero."""
    lines = [_line(costs, kg_co2eq_per_kwh)]
    for source in dict.fromkeys(each.source for each in costs):
        part = [each for each in costs if each.source == source]
        lines.append(f"  {_line(part, kg_co2eq_per_kwh)}: {source}")
    if kg_co2eq_per_kwh is not None:
        lines.append(f"  CO2eq: CodeCarbon's factor, {kg_co2eq_per_kwh:.3g} kg per kWh")
    return lines


def _line(costs: Sequence[Cost], kg_co2eq_per_kwh: float | None) -> str:
    hours = [each.gpu_hours for each in costs]
    energies = [each.energy_kwh for each in costs]
    emitted = [
        None if kwh is None or kg_co2eq_per_kwh is None else kwh * kg_co2eq_per_kwh
        for kwh in energies
    ]
    return (
        f"{_runs(len(costs))}, {_sum(hours, 'GPU-hours')}, {_sum(energies, 'kWh')}, "
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
