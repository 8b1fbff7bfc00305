"""Every table in the order and the shape in which a person reads it: on the terminal, in the files
of `make tables` and in the report alike."""

from __future__ import annotations

import pandas as pd

from analysis.tables.grid import Grid
from analysis.tables.lines import DEFAULTS, Options
from analysis.tables.own import OWN, own_table
from analysis.tables.paper import STUDIES, all_tables
from analysis.tables.shape import shaped
from analysis.tables.shape_rates import rates


def tables_of(frame: pd.DataFrame, options: Options = DEFAULTS) -> dict[str, pd.DataFrame]:
    """Name -> the complete table; a user's own runs, where there are some, come first. `frame` is
    what `load` gives."""
    own = own_table(frame, options)
    tables = all_tables(frame, options)
    # a task may be called `own` too (`watt.measure`'s default): its rows are among these
    others = {name: table for name, table in tables.items() if name != OWN}
    return tables if own.empty else {OWN: own, **others}


def grid_of(name: str, table: pd.DataFrame) -> Grid:
    """A table of `tables_of` in the paper's shape, or as rates where the paper has none."""
    return rates(name, table) if name in (OWN, STUDIES) else shaped(name, table)
