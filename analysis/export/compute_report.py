"""A compute report for a conference: hours, FLOPs, inference per 1,000, a ratio to a baseline, and
what developing took, with failed and interrupted runs.

The fields are those known of CVPR 2026's Compute Reporting Form. The form itself has no public
schema: check against it before you hand the report in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from analysis.export import development
from analysis.export.compute_fields import Line, fields_of
from analysis.export.report_facts import (
    MEASURED,
    Export,
    RunFacts,
    interval_text,
    sensors_text,
    short_ids,
)
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
        for line in fields_of(run, ids[run.run_id], site, left_out)
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
        sentence = f"{name_of(run, None)} took {' and '.join(rates)} on {run.devices}"
        sentence += f" (read by {how})" if how else ""
        if run.projection is not None:
            whole = run.projection
            energy = interval_text(whole.kwh, whole.half_width_kwh, "kWh")
            sentence += f"; its whole training recipe, projected from that rate, takes {energy}"
        parts.append(sentence)
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
            spent_on.name,
            f"{spent_on.num_runs}",
            f"{spent_on.device_hours:.4g}",
            "" if spent_on.kwh is None else f"{spent_on.kwh:.4g}",
            f"{spent_on.num_unknown or ''}",
        )
        for spent_on in spent
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
    for spent_on in spent:
        for field, value in zip(_SPENT[1:], _spent_rows([spent_on])[0][1:], strict=True):
            writer.writerow((f"development: {spent_on.name}", field, value, MEASURED))
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
