"""Every block of every run as one flat table, CSV and Parquet, for those who plot themselves."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence

import pandas as pd

from analysis.errors import AnalysisError
from analysis.export.report_facts import Block, Export, RunFacts
from analysis.export.site_facts import SiteFacts

_RUN = ("run_id", "task", "model", "stage", "dataset", "precision", "scale", "hardware",
        "gpu_name", "cpu_model", "num_devices")  # fmt: skip
_TEXTS = ("use", "reason")
COLUMNS = (*_RUN, "phase", "batch_size", *(field.name for field in dataclasses.fields(Block)))


def export(runs: Sequence[RunFacts], site: SiteFacts) -> Export:
    """`blocks.csv` and `blocks.parquet`; an empty cell is what was not read."""
    frame = blocks_frame(runs)
    if frame.empty:
        raise AnalysisError("none of these runs has a block; a failed run has none")
    stream = io.BytesIO()
    try:
        frame.to_parquet(stream, index=False)
    except ImportError:
        raise AnalysisError("Parquet needs pyarrow; `pip install pyarrow` brings it") from None
    return Export({"blocks.csv": frame.to_csv(index=False), "blocks.parquet": stream.getvalue()})


def blocks_frame(runs: Sequence[RunFacts]) -> pd.DataFrame:
    """One row a block, in `COLUMNS`."""
    rows = [
        [getattr(run, name) for name in _RUN]
        + [phase.phase, phase.batch_size]
        + [getattr(block, field.name) for field in dataclasses.fields(Block)]
        for run in runs
        for phase in run.phases
        for block in phase.blocks
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = [name for name in COLUMNS if name.endswith(("_kwh", "_s")) or name == "batch_size"]
    return frame.astype(dict.fromkeys(numbers, float))
