"""What other settings of the shown network were measured beside it, and save."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analysis.estimates.merge import merge
from analysis.estimates.savings import cheapest_shown
from analysis.records.load import load
from analysis.show.find import Named
from analysis.tables.savings import cheapest_measured
from metering.record import FILE_NAME


def cheapest_lines(run: Named) -> Iterator[str]:
    """The cheapest setting measured for this network on this hardware, a line for each phase; none
    where no saving is shown."""
    folder = _output_folder(run)
    if folder is None or run.measured is None:
        return
    # all of it: how much runs differ is pooled over every set-up that was repeated
    for cheapest in cheapest_shown(merge(load([folder]).frame), run.measured.setup):
        yield cheapest_measured(cheapest)


def _output_folder(run: Named) -> Path | None:
    """`<output_dir>` of `<output_dir>/<task>/<model>/<hardware>/<identity>/record.json`; None where
    the run does not lie so."""
    row = run.frame.iloc[0]
    path = Path(row["path"])
    named = (row["setup"].asked.task, row["setup"].asked.model, row["hardware"])
    if path.name != FILE_NAME or path.parent.parent.parts[-3:] != named:
        return None
    return path.parents[4]
