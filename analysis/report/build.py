"""Records and published facts to everything a report shows."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib import metadata

import pandas as pd
from matplotlib.figure import Figure

from analysis.claims.claim import Claim
from analysis.errors import utf8
from analysis.figures.draw import TITLES, is_absent
from analysis.figures.families import COLORS, family
from analysis.figures.gather import Gathered
from analysis.figures.write import to_svg
from analysis.report.leaderboard import leaderboard
from analysis.report.missing import missing
from analysis.report.model import Point, Report
from analysis.report.provenance import measured, provenance
from analysis.report.rows import rows_table
from analysis.report.tables import claims_table, paper_table
from analysis.tables.lines import Options
from analysis.tables.printed import tables_of

INTERACTIVE = "figure2"  # the page draws it itself


def build(
    gathered: Gathered, figures: Mapping[str, Figure], claims: Sequence[Claim] = ()
) -> Report:
    """The report over `gathered`; `figures` by name as `draw_all` gives them."""
    made = tables_of(gathered.records, Options(independent=gathered.independent))
    absent = [name for name, figure in figures.items() if is_absent(figure)]
    num_runs = gathered.records["path"].nunique()
    num_models = gathered.records["model"].nunique()
    return Report(
        title="Watt for what: electricity and accuracy of vision models",
        summary=(
            f"{num_runs} {'record' if num_runs == 1 else 'records'} of {num_models} "
            f"{'model' if num_models == 1 else 'models'}, beside what the paper printed.",
        ),
        measured=measured(gathered.records),
        tables=tuple(paper_table(name, frame) for name, frame in made.items()),
        points=points(gathered.frames.rows),
        figures={
            TITLES[name]: to_svg(figure) for name, figure in figures.items() if name != INTERACTIVE
        },
        provenance=provenance(gathered.records),
        rows=rows_table(made),
        claims=claims_table(claims),
        missing=missing(made, absent),
        leaderboard=leaderboard(gathered.records),
        problems=tuple(utf8(str(problem)) for problem in gathered.problems),
        versions=_versions(),
    )


def points(rows: pd.DataFrame) -> tuple[Point, ...]:
    """The markers of Figure 2, from `frames.ROW_COLUMNS`."""
    known = rows[(rows["train_kwh"] > 0) & rows["accuracy_pct"].notna()]
    return tuple(
        Point(
            model=str(row["model"]),
            kind=row["kind"],
            train_kwh=float(row["train_kwh"]),
            accuracy_pct=float(row["accuracy_pct"]),
            gqi=float(row["gqi"]) if pd.notna(row["gqi"]) else None,
            family=family(str(row["model"])),
            color=COLORS[family(str(row["model"]))],
            hardware=str(row["hardware"]),
            source=str(row["source"]),
            is_small=bool(row["is_small"]),
            group=str(row["group"]),
            on_front=bool(row["on_front"]),
        )
        for row in known.to_dict("records")
    )


def _versions() -> dict[str, str]:
    versions = {"Python": platform.python_version()}
    for name in ("watt-for-what", "pandas", "matplotlib", "jinja2"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
