"""A compute report for a conference: hours, FLOPs, inference per 1,000, a ratio to a baseline, and
what developing took, with failed and interrupted runs.

The fields are those known of CVPR 2026's Compute Reporting Form. The form itself has no public
schema: check against it before you hand the report in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.export import carbon, development
from analysis.export.report_facts import (
    MEASURED,
    PROJECTED,
    Basis,
    Export,
    PhaseFacts,
    RunFacts,
    interval_text,
    sensors_text,
    short_ids,
)
from analysis.export.sci import FLOP_PER_MAC, train_flop
from analysis.export.site_facts import SiteFacts
from analysis.export.tables_text import latex_table, latex_text, markdown_table, one_line
from analysis.export.training import name_of

CITATION = (
    "watt-for-what (CITATION.cff), method of \"Watt for What: Rethinking Deep Learning's "
    'Energy-Performance Relationship"'
)
CHECK_FORM = (
    "Fields as known of CVPR 2026's Compute Reporting Form; check against the form before you "
    "hand this in."
)


@dataclass(frozen=True)
class Line:
    """One field of the report. basis: where its value comes from."""

    run: str
    field: str
    value: str
    basis: Basis


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """`compute.md`, `compute.csv` and `compute.tex` of all runs given; failed and interrupted ones
    count in the development breakdown alone."""
    left_out: dict[str, None] = {}
    finished = [run for run in runs if run.status == "finished"]
    ids = short_ids(finished)
    lines = [
        line
        for run in finished
        if run.phases
        for line in _lines(run, ids[run.run_id], site, left_out)
    ]
    spent = development.breakdown(runs)
    sentence = appendix_sentence(finished, site)
    return Export(
        {
            "compute.md": _markdown(lines, spent, sentence),
            "compute.csv": _csv(lines, spent),
            "compute.tex": _latex(lines, spent, sentence),
        },
        tuple(left_out),
    )


def _lines(
    run: RunFacts, short_id: str, site: SiteFacts, left_out: dict[str, None]
) -> Iterator[Line]:
    name = f"{name_of(run, None)} on {run.devices} ({short_id})"
    for field, value, basis in (
        *_hardware(run, site, left_out),
        *_training(run, site),
        *_inference(run),
        *_baseline(run, site, left_out),
    ):
        yield Line(name, field, value, basis)


_Field = tuple[str, str, Basis]


def _hardware(run: RunFacts, site: SiteFacts, left_out: dict[str, None]) -> Iterator[_Field]:
    yield "devices", f"{run.devices}, {run.num_nodes} node(s)", "recorded"
    if run.cpu_model:
        yield "CPU", run.cpu_model, "recorded"
    if run.memory_gib:
        yield "RAM (GiB)", f"{run.memory_gib:g}", "recorded"
    if site.gpu_memory_gib:
        yield "GPU memory (GiB)", f"{site.gpu_memory_gib:g}", "from you"
    if site.infrastructure:
        yield "infrastructure", site.infrastructure.kind, "from you"
    else:
        left_out["infrastructure (give infrastructure.kind in --facts)"] = None
    if run.params_m:
        yield "parameters (millions)", f"{run.params_m:.4g}", "recorded"
    if run.precision != "unknown":
        yield "precision", run.precision, "recorded"
    if run.dataset != "unknown":
        yield "data set", run.dataset, "recorded"
    if site.data_size_gb:
        yield "data size (GB)", f"{site.data_size_gb:g}", "from you"
    else:
        left_out["data size (give data_size_gb in --facts)"] = None


def _training(run: RunFacts, site: SiteFacts) -> Iterator[_Field]:
    train, whole = run.phase("train"), run.projection
    if train is not None:
        yield from _window(run, train)
    if whole is not None:
        kind = "GPU" if run.gpu_name else "CPU"
        if whole.device_hours is not None:
            yield f"{kind} hours of the training", f"{whole.device_hours:.4g}", PROJECTED
        energy = interval_text(whole.kwh, whole.half_width_kwh, "kWh")
        yield "energy of the training", energy, PROJECTED
        if (flop := train_flop(run)) is not None:
            said = f"{flop:.3g} (2 a MAC, 3 forward passes a step)"
            yield "FLOPs of the training", said, PROJECTED
        if (kg := carbon.emitted_kg(whole.kwh, run, site)) is not None:
            yield "emissions (kg CO2eq)", f"{kg:.4g}", PROJECTED
    elif train is not None and run.projection_missing:
        yield "energy of the training", f"not projected: {run.projection_missing[0]}", PROJECTED


def _inference(run: RunFacts) -> Iterator[_Field]:
    test = run.phase("test")
    if run.gmacs is not None:
        flops = FLOP_PER_MAC * run.gmacs
        yield f"FLOPs of one {run.sample} (10^9)", f"{flops:.4g}", "recorded"
    if test is None:
        return
    yield from _window(run, test)
    if test.s_per_sample is not None:
        width = None if test.s_half_width is None else 1000 * test.s_half_width
        time = interval_text(1000 * test.s_per_sample, width, "s")
        yield f"time per 1,000 {run.sample}s", time, MEASURED
    if test.kwh_per_sample is not None:
        width = None if test.kwh_half_width is None else 1000 * test.kwh_half_width
        energy = interval_text(1000 * test.kwh_per_sample, width, "kWh")
        yield f"energy per 1,000 {run.sample}s", energy, MEASURED


def _window(run: RunFacts, phase: PhaseFacts) -> Iterator[_Field]:
    energy = "" if phase.energy_kwh is None else f", {phase.energy_kwh:.4g} kWh"
    said = f"{phase.samples_text}, {phase.duration_s:.4g} s{energy}"
    yield f"{phase.phase}: measured", said, MEASURED
    if phase.sensors:
        yield f"{phase.phase}: read by", sensors_text(phase.sensors), "recorded"
    if phase.flags:
        yield f"{phase.phase}: to know", "; ".join(phase.flags), "recorded"
    if phase.peak_memory_mib is not None:
        yield f"{phase.phase}: peak memory (MiB)", f"{phase.peak_memory_mib:.0f}", MEASURED


def _baseline(run: RunFacts, site: SiteFacts, left_out: dict[str, None]) -> Iterator[_Field]:
    own = site.baseline
    if own is None:
        left_out["ratio to a baseline (give baseline in --facts)"] = None
        return
    for phase in run.phases:
        kwh = getattr(own, f"{phase.phase}_kwh_per_sample")
        if kwh and phase.kwh_per_sample:
            source = f", {own.source}" if own.source else ""
            said = f"{phase.kwh_per_sample / kwh:.3g} x {own.name} ({kwh:.4g} kWh{source})"
            yield f"{phase.phase}: energy to the baseline", said, MEASURED


def appendix_sentence(runs: Sequence[RunFacts], site: SiteFacts) -> str:
    """For a paper's appendix: what was measured, on what, how, and what is projected."""
    parts = []
    for run in runs:
        rates = [
            f"{interval_text(phase.kwh_per_sample, phase.kwh_half_width, 'kWh')} per {run.sample} "
            f"in {'training' if phase.phase == 'train' else 'inference'}"
            for phase in run.phases
            if phase.kwh_per_sample is not None
        ]
        if not rates:
            continue
        how = sensors_text(run.phases[0].sensors)
        said = f"{name_of(run, None)} took {' and '.join(rates)} on {run.devices}"
        said += f" (read by {how})" if how else ""
        if run.projection is not None:
            whole = run.projection
            energy = interval_text(whole.kwh, whole.half_width_kwh, "kWh")
            said += f"; its whole training recipe, projected from that rate, takes {energy}"
        parts.append(said)
    if not parts:
        return "No energy was measured."
    readers = ", ".join(dict.fromkeys(run.reader for run in runs if run.phases))
    pue = f"a PUE of {site.pue:g} is not in it" if site.pue else "no data centre overhead is in it"
    return f"Energy was measured with {readers}: {'; '.join(parts)}; {pue}."


_HEAD = ("run", "field", "value", "basis")
_SPENT = ("development", "runs", "device hours", "kWh", "not known of")


def _rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [(line.run, line.field, line.value, line.basis) for line in lines]


def _spent_rows(spent: Sequence[development.Spent]) -> list[tuple[str, ...]]:
    return [
        (
            one.name,
            f"{one.num_runs}",
            f"{one.device_hours:.4g}",
            "" if one.kwh is None else f"{one.kwh:.4g}",
            f"{one.num_unknown or ''}",
        )
        for one in spent
    ]


def _markdown(lines: Sequence[Line], spent: Sequence[development.Spent], sentence: str) -> str:
    return "\n\n".join(
        (
            "# Compute report",
            CHECK_FORM,
            markdown_table(_HEAD, _rows(lines)),
            "## Development",
            development.NOTE,
            markdown_table(_SPENT, _spent_rows(spent)),
            "## For the appendix",
            one_line(sentence),
            f"Cite: {CITATION}.\n",
        )
    )


def _csv(lines: Sequence[Line], spent: Sequence[development.Spent]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEAD)
    writer.writerows(_rows(lines))
    for one in spent:
        for field, value in zip(_SPENT[1:], _spent_rows([one])[0][1:], strict=True):
            writer.writerow((f"development: {one.name}", field, value, MEASURED))
    return stream.getvalue()


def _latex(lines: Sequence[Line], spent: Sequence[development.Spent], sentence: str) -> str:
    """A table a run, for a page of one column or two."""
    runs = dict.fromkeys(line.run for line in lines)
    tables = [
        f"\\noindent\\textbf{{{latex_text(run)}}}\\par\\noindent\n"
        + latex_table(
            _HEAD[1:], [row[1:] for row in _rows(lines) if row[0] == run], (0.27, 0.4, 0.19)
        )
        for run in runs
    ]
    return "\n\n".join(
        (
            f"% {CHECK_FORM}",
            "% \\usepackage{booktabs}",
            *tables,
            "\\noindent\\textbf{Development}\\par\\noindent\n"
            + latex_table(_SPENT, _spent_rows(spent), (0.24, 0.08, 0.16, 0.17, 0.11)),
            f"% For the appendix:\n{latex_text(sentence)}",
            f"% Cite: {CITATION}\n",
        )
    )
