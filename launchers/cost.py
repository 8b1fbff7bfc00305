"""What a run would cost, before it runs: from earlier records, else from published numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metering.record import FILE_NAME, PhaseRecord, Record, RecordError
from metering.record_file import read
from tasks.plan import Plan

EARLIER = "an earlier record of the same set-up"
PUBLISHED = "the paper's published kWh, on its hardware"
AT_MOST = "at most, published board power x meter.time_budget_s"
UNKNOWN = "nothing known"

_PUBLISHED = Path(__file__).resolve().parent.parent / "analysis" / "published"
_FILES = {"action_recognition": "action"}
# The sets that the published test kWh were read over: Russakovsky 2015, Cordts 2016, Zhou 2017,
# Kay 2017 and Goyal 2017 (as MMAction2 counts them).
_NUM_TEST_SAMPLES = {
    "ImageNet-1k": 50_000, "Cityscapes": 500, "ADE20K": 2_000, "K400": 19_761, "SSv2": 24_777,
}  # fmt: skip
_DATASETS = {
    "cityscapes": "Cityscapes", "ade20k": "ADE20K", "kinetics400": "K400", "sthv2": "SSv2",
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Of one run; None where nothing is known. `source` is one of the sentences above."""

    gpu_hours: float | None
    energy_kwh: float | None
    source: str


def cost(plan: Plan) -> Cost:
    """The best that is known of `plan`."""
    earlier = _earlier(plan)
    if earlier is not None:
        return earlier
    num_samples = _num_samples(plan)
    if num_samples is not None:
        rates = [_published_rate(plan, phase) for phase in plan.phases]
        known = [rate for rate in rates if rate is not None]
        if plan.scale == "full" and len(known) == len(rates):
            return Cost(None, sum(known) * num_samples, PUBLISHED)
        return Cost(None, None, UNKNOWN)
    gpu_hours = plan.meter.time_budget_s * len(plan.phases) / 3600 * _num_ranks(plan)
    if plan.hardware.board_power_w is None:
        return Cost(gpu_hours, None, AT_MOST)
    return Cost(gpu_hours, gpu_hours * plan.hardware.board_power_w / 1000, AT_MOST)


def _num_ranks(plan: Plan) -> int:
    return plan.hardware.devices * plan.hardware.nodes


def _num_samples(plan: Plan) -> int | None:
    """Of one phase; None where the meter decides while it measures."""
    if plan.meter.mode == "adaptive":
        return None
    return ((plan.meter.num_steps or 0) + plan.meter.num_warmup_steps) * plan.batch_size


def _earlier(plan: Plan) -> Cost | None:
    """From the newest finished record of the same set-up that measured every phase of the plan."""
    records: list[Record] = []
    for path in plan.folder.parent.glob(f"{plan.identity}*/{FILE_NAME}"):
        try:
            records.append(read(path))
        except RecordError:
            continue  # an unreadable file tells nothing of the cost
    for record in sorted(records, key=lambda each: each.ended_at, reverse=True):
        phases = [phase for name, phase in record.phases.items() if name in plan.phases]
        parts = [_of_phase(phase, plan) for phase in phases]
        if record.status != "finished" or len(parts) < len(plan.phases) or None in parts:
            continue
        whole = [part for part in parts if part is not None]
        seconds, energies = [part[0] for part in whole], [part[1] for part in whole]
        known = [kwh for kwh in energies if kwh is not None]
        return Cost(
            sum(seconds) / 3600 * _num_ranks(plan),
            sum(known) if len(known) == len(energies) else None,
            EARLIER,
        )
    return None


def _of_phase(phase: PhaseRecord, plan: Plan) -> tuple[float, float | None] | None:
    """Seconds and kWh that this phase would take under the plan's meter."""
    duration, energy = phase.duration_s_per_sample, phase.energy_kwh_per_sample
    if duration is None or duration.mean == 0:
        return None
    num_samples = _num_samples(plan)
    if num_samples is not None:
        return duration.mean * num_samples, None if energy is None else energy.mean * num_samples
    # as long as it took then, and never longer than it may take now
    seconds = sum(block.duration_s for block in phase.readings)
    seconds = min(seconds, plan.meter.time_budget_s)
    return seconds, None if energy is None else energy.mean / duration.mean * seconds


def _published_rate(plan: Plan, phase: str) -> float | None:
    """kWh per sample as the paper has it, of the plan's row and stage."""
    dataset = _DATASETS.get(plan.data.name, "ImageNet-1k")
    row = plan.model.paper_row
    if phase == "train":
        return _rates().get((row or "", dataset, plan.stage))
    kwh = _test_kwh(plan.task).get((row or "", dataset))
    return None if kwh is None else kwh / _NUM_TEST_SAMPLES[dataset]


@cache
def _rates() -> dict[tuple[str, str, str], float]:
    """kWh per training sample by row, data set and workload."""
    return {
        (line["row"], line["dataset"], line["workload"]): float(line["kwh"])
        / float(line["num_samples"])
        for line in _lines("rates")
    }


@cache
def _test_kwh(task: str) -> dict[tuple[str, str], float]:
    """kWh of the whole test set by row and data set."""
    return {
        (line["model"], line["dataset"]): float(line["value"])
        for line in _lines(_FILES.get(task, task))
        if line["quantity"] == "test_kwh" and line["value"]
    }


def _lines(name: str) -> list[dict[str, str]]:
    with (_PUBLISHED / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
