"""The formats that `python -m analysis export --to NAME` knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.errors import AnalysisError
from analysis.export import (
    blocks,
    boamps,
    compute_report,
    cyclonedx,
    huggingface,
    sci,
    spdx,
)
from analysis.export.report_facts import Export, RunFacts
from analysis.export.site_facts import SiteFacts

Exporter = Callable[[Sequence[RunFacts], SiteFacts], Export]


def of_finished(export: Exporter) -> Exporter:
    """`export` of the finished runs; a failed or interrupted one is no result, and left out by
    name."""

    def exported(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
        finished = [run for run in runs if run.status == "finished"]
        others = tuple(
            f"run {run.run_id[:8]} of {run.model}: it {run.status}"
            if run.status == "failed"
            else f"run {run.run_id[:8]} of {run.model}: it was {run.status}"
            for run in runs
            if run.status != "finished"
        )
        if not finished:
            raise AnalysisError(f"no run finished; left out {'; '.join(others)}")
        made = export(finished, site)
        return Export(made.files, (*others, *made.left_out))

    return exported


FORMATS: dict[str, Exporter] = {
    "huggingface": of_finished(huggingface.export),
    "boamps": of_finished(boamps.export),
    "cyclonedx": of_finished(cyclonedx.export),
    "spdx": of_finished(spdx.export),
    "compute-report": compute_report.export,
    "sci": of_finished(sci.export),
    "blocks": blocks.export,
}
