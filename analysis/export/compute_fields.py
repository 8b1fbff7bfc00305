"""The fields of a compute report, run by run; each one that cannot be filled is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analysis.export import carbon
from analysis.export.report_facts import (
    MEASURED,
    PROJECTED,
    Basis,
    PhaseFacts,
    RunFacts,
    interval_text,
    sensors_text,
)
from analysis.export.sci import FLOP_PER_MAC, TRAIN_PER_FORWARD, train_flop
from analysis.export.site_facts import SiteFacts
from analysis.export.training import name_of, why_no_energy

_FLOP_NOTE = f"({FLOP_PER_MAC} a MAC, {TRAIN_PER_FORWARD} forward passes a step)"
NO_GMACS = "the record has no GMACs"


@dataclass(frozen=True)
class Line:
    """One field of the report. basis: where its value comes from."""

    run: str
    field: str
    value: str
    basis: Basis


@dataclass
class _Fields:
    """lines: (field, value, basis); missing: field -> why the run does not fill it; unsaid: what
    `--facts` does not say, for all runs alike."""

    lines: list[tuple[str, str, Basis]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)

    def add(self, name: str, value: str | None, basis: Basis, why: str) -> None:
        """why: nothing fills it, where `value` is None."""
        if value is None:
            self.missing[name] = why
        else:
            self.lines.append((name, value, basis))


def fields_of(
    run: RunFacts, short_id: str, site: SiteFacts, left_out: dict[str, None]
) -> Iterator[Line]:
    """left_out: grows by what neither the run nor the site says."""
    fields = _Fields()
    _hardware(fields, run, site)
    _training(fields, run, site)
    _inference(fields, run)
    _baseline(fields, run, site)
    name = f"{name_of(run, None)} on {run.devices} ({short_id})"
    left_out |= dict.fromkeys(fields.unsaid)
    left_out |= {
        f"{field_name} of {name}: {why}": None for field_name, why in fields.missing.items()
    }
    return (Line(name, *line) for line in fields.lines)


def _hardware(fields: _Fields, run: RunFacts, site: SiteFacts) -> None:
    nodes = "" if run.num_nodes is None else f", {run.num_nodes} node(s)"
    fields.add("devices", f"{run.devices}{nodes}", "recorded", "")
    recorded = {
        "CPU": run.cpu_model,
        "RAM (GiB)": None if run.memory_gib is None else f"{run.memory_gib:g}",
        "parameters (millions)": f"{run.params_m:.4g}" if run.params_m else None,
        "precision": None if run.precision == "unknown" else run.precision,
        "data set": None if run.dataset == "unknown" else run.dataset,
    }
    for name, value in recorded.items():
        fields.add(name, value, "recorded", "the record does not say it")
    kind, size_gb, memory_gib = site.infrastructure, site.data_size_gb, site.gpu_memory_gib
    values: dict[str, tuple[str | None, str]] = {
        "infrastructure": (kind.kind if kind else None, "infrastructure.kind"),
        "data size (GB)": (f"{size_gb:g}" if size_gb else None, "data_size_gb"),
    }
    if run.gpu_name is not None:
        memory = f"{memory_gib:g}" if memory_gib else None
        values["GPU memory (GiB)"] = memory, "gpu_memory_gib"
    for name, (own, key) in values.items():
        if own is None:
            fields.unsaid.append(f"{name} (give {key} in --facts)")
        else:
            fields.lines.append((name, own, "from you"))


def _training(fields: _Fields, run: RunFacts, site: SiteFacts) -> None:
    """Of the whole recipe where it is projected, else of a run that was metered as a whole."""
    train, kind = run.phase("train"), "GPU" if run.gpu_name else "CPU"
    if train is not None:
        _window(fields, run, train)
    hours, energy, kwh = None, None, None
    basis = PROJECTED
    why = "; ".join(run.projection_missing) or "its recipe is not projected"
    if train is None:
        why = "it has no train phase"
    if run.projection is not None:
        whole = run.projection
        hours, kwh = whole.device_hours, whole.kwh
        energy = interval_text(kwh, whole.half_width_kwh, "kWh")
        why = "its recipe's parts do not have one pace"
    elif train is not None and run.is_whole:
        why = why_no_energy(train) or "no energy was read"
        basis, kwh = MEASURED, None if why_no_energy(train) else train.energy_kwh
        hours = train.duration_s * run.num_devices / 3600
        energy = None if kwh is None else f"{kwh:.4g} kWh, all that the run trained"
    fields.add(f"{kind} hours of the training", _digits(hours), basis, why)
    fields.add("energy of the training", energy, basis, why)
    _flop(fields, run, train)
    fault = None if train is None else carbon.fault_of(train)
    kg = None if fault is not None else carbon.emitted_kg(kwh, run, site)
    if kwh is not None:
        why = fault or carbon.NO_FACTOR.removeprefix("carbon: ")
    fields.add("emissions of the training (kg CO2eq)", _digits(kg), basis, why)


def _flop(fields: _Fields, run: RunFacts, train: PhaseFacts | None) -> None:
    flop, basis = train_flop(run), PROJECTED
    if flop is None and run.projection is None and run.is_whole and train is not None:
        basis = MEASURED
        if run.gmacs is not None and train.num_samples:
            flop = FLOP_PER_MAC * TRAIN_PER_FORWARD * run.gmacs * 1e9 * train.num_samples
    why = "the number of its samples is not known"
    if run.projection is None and not run.is_whole and run.projection_missing:
        why = "; ".join(run.projection_missing)
    if run.gmacs is None:
        why = NO_GMACS
    text = None if flop is None else f"{flop:.3g} {_FLOP_NOTE}"
    fields.add("FLOPs of the training", text, basis, why)


def _inference(fields: _Fields, run: RunFacts) -> None:
    test = run.phase("test")
    flops = None if run.gmacs is None else f"{FLOP_PER_MAC * run.gmacs:.4g}"
    fields.add(f"FLOPs of one {run.sample} (10^9)", flops, "recorded", NO_GMACS)
    time = energy = None
    why = "it has no test phase"
    if test is not None:
        _window(fields, run, test)
        time = _per_1000(test.s_per_sample, test.s_half_width, "s")
        energy = _per_1000(test.kwh_per_sample, test.kwh_half_width, "kWh")
        why = "its test phase has no rate"
    fields.add(f"time per 1,000 {run.sample}s", time, MEASURED, why)
    fields.add(f"energy per 1,000 {run.sample}s", energy, MEASURED, why)


def _per_1000(each: float | None, half_width: float | None, unit: str) -> str | None:
    if each is None:
        return None
    return interval_text(1000 * each, None if half_width is None else 1000 * half_width, unit)


def _digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


def _window(fields: _Fields, run: RunFacts, phase: PhaseFacts) -> None:
    is_wrong = why_no_energy(phase) is not None
    energy = "" if is_wrong else f", {phase.energy_kwh:.4g} kWh"
    measured = f"{phase.samples_text}, {phase.duration_s:.4g} s{energy}"
    fields.lines.append((f"{phase.phase}: measured", measured, MEASURED))
    if phase.sensors:
        fields.lines.append((f"{phase.phase}: read by", sensors_text(phase.sensors), "recorded"))
    note = (run.phase_note,) if run.phase_note and phase.phase == "train" else ()
    if phase.flags or note:
        notes = "; ".join((*note, *phase.flags))
        fields.lines.append((f"{phase.phase}: to know", notes, "recorded"))
    if phase.peak_memory_mib is not None:
        peak = f"{phase.peak_memory_mib:.0f}"
        fields.lines.append((f"{phase.phase}: peak memory (MiB)", peak, MEASURED))


def _baseline(fields: _Fields, run: RunFacts, site: SiteFacts) -> None:
    own = site.baseline
    if own is None:
        fields.unsaid.append("ratio to a baseline (give baseline in --facts)")
        return
    for phase in run.phases:
        key = f"{phase.phase}_kwh_per_sample"
        kwh = own.train_kwh_per_sample if phase.phase == "train" else own.test_kwh_per_sample
        ratio = None
        if kwh and phase.kwh_per_sample:
            source = f", {own.source}" if own.source else ""
            ratio = f"{phase.kwh_per_sample / kwh:.3g} x {own.name} ({kwh:.4g} kWh{source})"
        why = "it has no rate" if kwh else f"give baseline.{key} in --facts"
        fields.add(f"{phase.phase}: energy to the baseline", ratio, MEASURED, why)
