"""`--where`, `--sort` and `--columns` over all tables at once.

A column may be in one table and not in another. A name is unknown only where no table has it, and
so is a value that is compared with a text.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.errors import AnalysisError, unknown
from analysis.tables import select

Tables = dict[str, pd.DataFrame]


def where(tables: Tables, condition: str) -> Tables:
    """Of each table that has all its columns the rows for which `condition` holds; the others are
    not among them. Raises `AnalysisError`."""
    wanted = select.clauses(condition)
    names = list(dict.fromkeys(clause.name for clause in wanted))
    _refuse_unknown(tables, names)
    having = {name: set(_having(tables, name)) for name in names}
    shared = set.intersection(*having.values())
    usable = {name: table for name, table in tables.items() if name in shared}
    if not usable:
        places = ", ".join(f"{name} in {' and '.join(_having(tables, name))}" for name in names)
        raise AnalysisError(f"--where: no table has all of its columns ({places}); leave some out")
    for clause in wanted:
        columns = [table[select.column(table, clause.name)] for table in usable.values()]
        select.check(clause, pd.concat(columns, ignore_index=True))
    return {name: select.where(table, wanted) for name, table in usable.items()}


def ordered(tables: Tables, name: str) -> Tables:
    """Each table that has the column sorted by it, the others as they are. Raises
    `AnalysisError`."""
    bare = name.removeprefix("-")
    _refuse_unknown(tables, [bare])
    having = _having(tables, bare)
    return {
        table_name: select.ordered(table, name) if table_name in having else table
        for table_name, table in tables.items()
    }


def only(tables: Tables, names: Iterable[str]) -> Tables:
    """Of each table those of the columns that it has; a table that has none of them is not among
    them. Raises `AnalysisError`."""
    names = list(dict.fromkeys(names))
    _refuse_unknown(tables, names)
    having = {name: set(_having(tables, name)) for name in names}
    shown = {
        table_name: [name for name in names if table_name in having[name]] for table_name in tables
    }
    return {
        table_name: select.only(tables[table_name], columns)
        for table_name, columns in shown.items()
        if columns
    }


def _having(tables: Tables, name: str) -> list[str]:
    return [table_name for table_name, table in tables.items() if _error(table, name) is None]


def _refuse_unknown(tables: Tables, names: Iterable[str]) -> None:
    for name in names:
        if _having(tables, name):
            continue
        errors = [error for table in tables.values() if (error := _error(table, name))]
        reason = next((error for error in errors if "is unknown" not in str(error)), None)
        known = [column for table in tables.values() for column in select.names_of(table)]
        raise reason or unknown("column", name, dict.fromkeys(known))


def _error(table: pd.DataFrame, name: str) -> AnalysisError | None:
    try:
        select.column(table, name)
    except AnalysisError as error:
        return error
    return None
