"""What a sweep would submit and cost, before it is submitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from launchers.slurm_queue import slurm_folder
from launchers.slurm_resources import SlurmSettings, group_key, sbatch_text
from metering.record import FILE_NAME, Record, RecordError, read
from tasks.plan import Plan


@dataclass(frozen=True)
class Cost:
    """Of one run. `source` says where the numbers come from; None: nothing is known."""

    gpu_hours: float
    energy_kwh: float | None
    emissions_kg_co2eq: float | None
    source: str


def text(plans: Sequence[Plan], settings: SlurmSettings) -> str:
    """The sbatch text of every group, then the cost of the whole sweep."""
    groups: dict[str, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(group_key(plan.hardware), []).append(plan)
    parts = []
    for group in groups.values():
        folder = slurm_folder(group[0].output_dir) / "jobs"
        parts.append(f"# {len(group)} runs on {group[0].hardware.name}")
        parts.append(sbatch_text(folder, group[0].hardware, settings, len(group)))
    return "\n".join([*parts, total_line([cost(plan) for plan in plans])])


def cost(plan: Plan) -> Cost:
    """From the newest record of the same model on the same hardware, else an upper bound from
    the profile's board power over the measuring time that the plan allows."""
    ranks = plan.hardware.devices * plan.hardware.nodes
    earlier = _earlier(plan)
    if earlier is not None:
        seconds = sum(
            block.duration_s for phase in earlier.phases.values() for block in phase.readings
        )
        energy = [
            block.energy.total_kwh for phase in earlier.phases.values() for block in phase.readings
        ]
        emitted = [phase.emissions_kg_co2eq for phase in earlier.phases.values()]
        return Cost(
            seconds * ranks / 3600,
            sum(kwh for kwh in energy if kwh is not None) if any(energy) else None,
            sum(kg for kg in emitted if kg is not None) if any(emitted) else None,
            "earlier records",
        )
    hours = plan.meter.time_budget_s * len(plan.phases) / 3600 * ranks
    if plan.hardware.board_power_w is None:
        return Cost(hours, None, None, "time budget")
    return Cost(
        hours,
        hours * plan.hardware.board_power_w / 1000,
        None,
        "published board power x time budget",
    )


def total_line(costs: Sequence[Cost]) -> str:
    """Runs, GPU-hours, kWh and kg CO2eq; unknown parts are said, not counted as zero."""
    hours = sum(each.gpu_hours for each in costs)
    known = [each.energy_kwh for each in costs if each.energy_kwh is not None]
    emitted = [each.emissions_kg_co2eq for each in costs if each.emissions_kg_co2eq is not None]
    energy_text = f"{sum(known):.3g} kWh" if known else "kWh unknown"
    co2_text = f"{sum(emitted):.3g} kg CO2eq" if emitted else "kg CO2eq unknown"
    lacking = len(costs) - len(known)
    note = f" ({lacking} runs without a number)" if known and lacking else ""
    sources = ", ".join(sorted({each.source for each in costs}))
    return (
        f"{len(costs)} runs, {hours:.3g} GPU-hours, {energy_text}, {co2_text}{note}; "
        f"estimated from: {sources}"
    )


def _earlier(plan: Plan) -> Record | None:
    found = []
    for path in plan.folder.parent.glob(f"*/{FILE_NAME}"):
        try:
            found.append(read(path))
        except RecordError:
            continue  # an unreadable file tells nothing of the cost
    finished = [record for record in found if record.status == "finished"]
    return max(finished, key=lambda record: record.ended_at, default=None)
