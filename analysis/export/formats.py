"""The formats that `python -m analysis export --to NAME` knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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

FORMATS: dict[str, Callable[[Sequence[RunFacts], SiteFacts], Export]] = {
    "huggingface": huggingface.export,
    "boamps": boamps.export,
    "cyclonedx": cyclonedx.export,
    "spdx": spdx.export,
    "compute-report": compute_report.export,
    "sci": sci.export,
    "blocks": blocks.export,
}
