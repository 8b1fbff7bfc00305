"""What a report shows, as plain values; `page.py` turns it into HTML and knows nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["", "published", "measured", "estimated", "independent"]


@dataclass(frozen=True)
class Column:
    """A table's column. `kind` says which kind of number it holds, "" for what is no number.
    A column that is not `is_main` is shown on demand."""

    label: str
    kind: Kind = ""
    is_number: bool = False
    is_main: bool = True


@dataclass(frozen=True)
class Cell:
    """`text` is shown, `value` sorts (by the text where it is `None`), `note` is what must be said
    of it, `marks` the numbers of the notes below the table that say it."""

    text: str
    value: float | None = None
    note: str = ""
    marks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Table:
    """A sortable, searchable table; every row has one cell per column. notes: numbered, of single
    cells; footnotes: of the table; runs: of each row the beginnings of its runs' ids, where the
    rows rest on runs."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: tuple[str, ...] = ()
    empty: str = "Nothing to show."
    notes: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @property
    def runs_of_rows(self) -> tuple[str, ...]:
        """One text a row, empty where its runs are not known."""
        return self.runs or ("",) * len(self.rows)


@dataclass(frozen=True)
class Point:
    """One marker of Figure 2; `gqi` is `None` where the index is undefined; those of one `group`
    compete, and `on_front` says which are on its Pareto front."""

    model: str
    kind: Kind
    train_kwh: float
    accuracy_pct: float
    gqi: float | None
    family: str
    color: str
    hardware: str = ""
    source: str = ""
    is_small: bool = False
    group: str = ""
    on_front: bool = False


@dataclass(frozen=True)
class Missing:
    """Something the paper shows that nobody measured here, and the command that would."""

    title: str
    command: str


@dataclass(frozen=True)
class Metric:
    """key: of `Entry.values`; is_less_better: which end of the list is the first."""

    key: str
    label: str
    kind: Kind
    is_less_better: bool = True


@dataclass(frozen=True)
class Value:
    """number, and as it is shown, with its interval; rank: among the rows of its group, with its
    95 % interval, empty where it has none."""

    number: float
    text: str
    rank: str = ""


@dataclass(frozen=True)
class Entry:
    """One row. group: of rows that may be compared, for a reader; is_own: of the
    user's records."""

    task: str
    hardware: str
    group: str
    model: str
    dataset: str
    tier: str
    num_runs: int
    values: dict[str, Value]
    note: str = ""
    is_own: bool = True


@dataclass(frozen=True)
class Leaderboard:
    """entries: those with any value. metrics: those that any entry has."""

    entries: tuple[Entry, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Report:
    """`figures`: title to SVG document, made by this suite. `problems`: one line per file that
    could not be read."""

    title: str
    summary: tuple[str, ...]
    measured: Table
    tables: tuple[Table, ...]
    points: tuple[Point, ...]
    figures: Mapping[str, str]
    provenance: Table
    rows: Table = Table("rows-table", "Rows", (), (), empty="Nothing was measured.")
    claims: Table = Table("claims-table", "Claims", (), (), empty="No claim was tested.")
    missing: tuple[Missing, ...] = ()
    leaderboard: Leaderboard = Leaderboard((), ())
    problems: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
