"""`python -m analysis tables`: the paper's tables, published beside measured and estimated."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from analysis.commands.arguments import add_independent, add_runs
from analysis.errors import AnalysisError, printable, unknown
from analysis.estimates.accounting import ACCOUNTINGS
from analysis.estimates.metrics import ALPHA, BETA
from analysis.named_folders import load_named, with_bundle_names
from analysis.tables import notes_beneath, select, select_over, terminal
from analysis.tables.grid import Grid, grid
from analysis.tables.own import OWN, failures
from analysis.tables.printed import grid_of, tables_of
from analysis.tables.writers import FORMATS, FROM_GRID, to_csv
from metering import atomic_file

HOW_TO_MEASURE = (
    "Nothing was measured yet: every number is published. `python run.py model=resnet18` "
    "measures one, `make tables` then shows it beside the paper's."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_runs(parser)
    parser.add_argument("--out", type=Path, default=Path("tables"), help="output folder")
    parser.add_argument("--format", default="csv,md,tex", help="of csv, md, tex, html")
    parser.add_argument("--sort", help="a column, such as gqi; -gqi turns the order round")
    parser.add_argument("--hardware", help="show measurements on these profiles only: a6000,v100")
    parser.add_argument("--where", help="rows to keep: 'gqi > 0.7 and published_top1_pct > 80'")
    parser.add_argument("--columns", help="only these, comma-separated: gqi,samples_per_kwh")
    parser.add_argument(
        "--accounting",
        default="source",
        help="source: the recipe as its authors gave it; paper: the one that "
        "reproduces the published totals",
    )
    parser.add_argument(
        "--evaluations",
        type=float,
        default=0.0,
        help="add so many evaluations per epoch to estimates",
    )
    parser.add_argument(
        "--checkpoints", type=float, default=0.0, help="add so many checkpoint writes per epoch"
    )
    add_independent(parser)
    parser.add_argument(
        "--own", action="store_true", help="print your own runs alone; all tables are written"
    )
    parser.add_argument("--diff", action="store_true", help="relative differences and flags")
    parser.add_argument("--alpha", type=float, default=ALPHA, help="of GQI, default %(default)s")
    parser.add_argument("--beta", type=float, default=BETA, help="of GQI, default %(default)s")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    formats = _names(arguments.format)
    _check(arguments, formats)
    loaded = load_named(arguments.runs)
    tables = _tables(loaded.frame, arguments)
    if arguments.own and OWN not in tables:
        raise AnalysisError("--own: no run of yours is among these; leave it out or measure one")
    grids = {name: _grid(name, table, arguments) for name, table in tables.items()}
    texts = {
        f"{name}.{kind}": to_csv(tables[name])
        if kind == "csv"
        else FROM_GRID[kind](name, grids[name])
        for name in tables
        for kind in formats
    }
    write_all(texts, arguments.out)
    beneath = {
        name: list(notes_beneath.lines(name, tables[name], shown, arguments.out, formats))
        for name, shown in grids.items()
        if name != OWN
    }
    shown = {OWN: grids[OWN]} if arguments.own else grids
    _print(shown, beneath, loaded.frame)
    if loaded.frame.empty:
        print(HOW_TO_MEASURE)
    print(f"wrote {', '.join(sorted(texts))} to {arguments.out}/")
    return 0


def _grid(name: str, table: pd.DataFrame, arguments: argparse.Namespace) -> Grid:
    """In the paper's shape, unless columns of the user's choice or differences are wanted."""
    if arguments.columns:
        return grid(name, table)
    if arguments.diff:
        return grid(name, select.without(table, select.unasked(table)))
    return grid_of(name, table)


def _print(grids: dict[str, Grid], beneath: dict[str, list[str]], frame: pd.DataFrame) -> None:
    """The user's own runs with their notes, then the tables; studies are in the files.
    beneath: what is said under each table."""
    from analysis.tables.paper import STUDIES

    for name, shown in grids.items():
        if name == STUDIES:
            print(f"{len(shown.cells)} rows of scaled-down studies are in {STUDIES}.*")
        elif shown.cells:
            terminal.show(shown, notes=name == OWN, beneath=beneath.get(name, ()))
    for line in failures(frame):
        print(printable(with_bundle_names(f"has no row: {line}")), file=sys.stderr)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _check(arguments: argparse.Namespace, formats: Sequence[str]) -> None:
    """Raises `AnalysisError` for a value that cannot be, and for an option that would do
    nothing."""
    if not formats:
        raise AnalysisError("--format names none; choose from csv, md, tex, html")
    for name in formats:
        if name not in FORMATS:
            raise unknown("--format", name, FORMATS)
    if arguments.accounting not in ACCOUNTINGS:
        raise unknown("--accounting", arguments.accounting, ACCOUNTINGS)
    for name in ("evaluations", "checkpoints", "alpha", "beta"):
        value = getattr(arguments, name)
        if not 0 <= value < math.inf:
            raise AnalysisError(f"--{name} {value} is not a number of at least 0; give one")
    for name in ("columns", "hardware"):
        if getattr(arguments, name) is not None and not _names(getattr(arguments, name)):
            raise AnalysisError(f"--{name} names none; leave it out or name some")
    for name in ("where", "sort"):
        if getattr(arguments, name) is not None and not getattr(arguments, name).strip():
            raise AnalysisError(f"--{name} is empty; leave it out or give a column")
    _refuse_idle(arguments)


def _refuse_idle(arguments: argparse.Namespace) -> None:
    """Raises `AnalysisError` for an option that another makes do nothing."""
    for name in ("evaluations", "checkpoints"):
        if getattr(arguments, name) and arguments.accounting == "paper":
            raise AnalysisError(
                f"--{name} does nothing with --accounting paper, whose totals hold none; "
                "leave one of them out"
            )
    for name in ("own", "columns"):
        if getattr(arguments, name) and arguments.diff:
            raise AnalysisError(f"--{name} does nothing with --diff; leave one of them out")


def _tables(frame: pd.DataFrame, arguments: argparse.Namespace) -> dict[str, pd.DataFrame]:
    from analysis.tables.diff import diff
    from analysis.tables.lines import Options
    from analysis.tables.paper import STUDIES

    hardware = _names(arguments.hardware)
    select.check_hardware(frame, hardware)
    options = Options(
        arguments.accounting,
        arguments.alpha,
        arguments.beta,
        evaluations=arguments.evaluations,
        checkpoints=arguments.checkpoints,
        independent=tuple(arguments.independent),
    )
    tables = tables_of(frame, options)
    if hardware:
        tables = {name: select.on_hardware(table, hardware) for name, table in tables.items()}
    if arguments.where:
        tables = _without(tables, select_over.where(tables, arguments.where), "--where")
        if not any(map(len, tables.values())):
            print(f"--where '{printable(arguments.where)}' leaves no row", file=sys.stderr)
    if arguments.sort:
        tables = select_over.ordered(tables, arguments.sort)
    if arguments.columns:
        chosen = select_over.only(tables, _names(arguments.columns))
        tables = _without(tables, chosen, "--columns")
    if arguments.diff:
        return {
            f"{name}_diff": diff(table)
            for name, table in tables.items()
            if name not in (OWN, STUDIES)
        }
    return tables


def _without(
    before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame], option: str
) -> dict[str, pd.DataFrame]:
    """`after`; tables that an option leaves out are named on standard error."""
    if gone := [name for name in before if name not in after]:
        print(f"{option} leaves out {', '.join(gone)}: no such column there", file=sys.stderr)
    return after


def write_all(texts: dict[str, str], folder: Path) -> None:
    """Write every text into `folder`: all of them or none. Raises `AnalysisError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as staged:
            for name, text in texts.items():
                temporary = staged.enter_context(atomic_file.replacing(folder / name))
                temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AnalysisError(
            f"--out {folder} cannot be written: {error.strerror or error}; name another folder"
        ) from None
