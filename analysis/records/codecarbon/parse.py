"""The text of one emissions file to lines of named cells, whatever wrote or edited the file.

Known of such files: commas, semicolons or tabs; decimal commas; `sep=;` before the header; the
header again in the middle (files that were joined, or a newer CodeCarbon that appended); line
breaks within quotes; a last line that was cut; a conflict of Git's.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.records.codecarbon.file_text import text_of
from metering.bounds import MOST
from metering.json_values import shown
from metering.record import RecordError

NEEDED = ("energy_consumed", "duration")
_QUANTITIES = (*NEEDED, "emissions", "cpu_energy", "gpu_energy", "ram_energy")
SEPARATORS = (",", ";", "\t", "|")
NULLS = frozenset(("", "nan", "none", "null", "na", "n/a", "nat", "<na>", "-"))
MAX_JOINED = 8
"""Lines that one quoted cell may span; a quote that is never closed is a fault of its own line."""
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})( .*)?|={7}")
_OTHERS = {
    "Eco2AI": ("power_consumption(kwh)", "power_consumption(kwtt)", "co2_emissions(kg)"),
    "pyJoules": ("package_0", "nvidia_gpu_0"),
}
"""Columns of other meters, whose files have a name like CodeCarbon's."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.I)


@dataclass(frozen=True)
class Line:
    """One line of measurements. number: in the file, from 1; cells: by column, empty where the
    file has nothing (`nan`, `None`)."""

    number: int
    cells: dict[str, str]
    has_decimal_commas: bool = False

    def text(self, name: str) -> str:
        """The cell, empty where it or its column is absent."""
        return self.cells.get(name, "")

    def number_of(self, name: str, least: float = 0.0) -> float | None:
        """The cell's number from `least` up; None where the cell or its column is absent.
        Raises `RecordError`."""
        text = self.text(name)
        if not text:
            return None
        try:
            number = float(_with_point(text) if self.has_decimal_commas else _unquoted(text))
        except ValueError:
            number = math.nan
        if not least <= number <= MOST:
            raise RecordError(f"{name}: {shown(text)} is not a number from {least:g} to {MOST:.2g}")
        return number


@dataclass(frozen=True)
class ParsedLog:
    """lines: in the file's order; problems: of each line left out, why; notes: what was unusual
    of the file and is taken care of."""

    lines: tuple[Line, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cut_run_ids: tuple[str, ...] = ()
    """Of lines with too few or too many values, whose run is then not whole; where such a line does
    not say it, of the line before."""


def parsed(content: bytes) -> ParsedLog:
    """Raises `RecordError` with one line that says why this is no file of CodeCarbon's."""
    text, notes = text_of(content)
    physical = _LINE_END.split(text)
    if any(map(_CONFLICT.fullmatch, physical)):
        physical = ["" if _CONFLICT.fullmatch(line) else line for line in physical]
        notes = (*notes, "it has a conflict of Git's that was not resolved: both sides are read")
    start = 0
    while start < len(physical) and _is_before_header(physical[start]):
        start += 1
    header = physical[start] if len(physical) > start else ""
    separator = separator_of(header)
    names = _names(_cells(header, separator))
    if separator != ",":
        separator_name = "tabs" if separator == "\t" else f"'{separator}'"
        notes = (*notes, f"the file is separated by {separator_name}, not commas")
    lines: list[Line] = []
    problems: list[str] = []
    cut_run_ids: list[str] = []
    for number, cells in _logical(physical, start + 1, separator, len(names), problems):
        if _is_header(cells):
            names = _names(cells)
            continue
        if len(cells) != len(names):
            is_cut = number == len(physical) and not text.endswith("\n")
            cut = "; the file was cut off here" if is_cut else ""
            problems.append(f"line {number}: {len(cells)} values for {len(names)} columns{cut}")
            of_line = dict(zip(names, cells[:-1], strict=False)).get("run_id", "")
            cut_run_ids.append(of_line or (lines[-1].text("run_id") if lines else ""))
            continue
        values = {
            name: "" if cell.lower() in NULLS else cell
            for name, cell in zip(names, cells, strict=True)
        }
        lines.append(Line(number, values, separator != ","))
    if not lines and not problems:
        raise RecordError("no line of measurements")
    if separator == "," and _use_decimal_commas(lines):
        lines = [replace(line, has_decimal_commas=True) for line in lines]
        notes = (*notes, "its numbers have decimal commas")
    return ParsedLog(tuple(lines), tuple(problems), notes, tuple(cut_run_ids))


def _use_decimal_commas(lines: Sequence[Line]) -> bool:
    """Whether a file that is separated by commas quotes numbers such as `1,234` for a bit more than
    one: some number can be nothing else, and none has a point."""
    cells = [line.text(name) for line in lines for name in _QUANTITIES]
    if any("." in cell for cell in cells):
        return False
    return any(_DECIMAL_COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in cells)


def _is_before_header(line: str) -> bool:
    """`sep=;` of a spreadsheet, a comment, an empty line."""
    return not line.strip() or line.startswith("#") or line.lower().startswith("sep=")


def is_emissions_header(header: str) -> bool:
    """Whether a CSV file that begins with this line is CodeCarbon's, whatever its name."""
    try:
        names = [name.lower() for name in _cells(header, separator_of(header))]
    except RecordError:
        return False
    return {*NEEDED, "emissions"} <= set(names)


def separator_of(header: str) -> str:
    """The separator by which the header has most columns; a comma where none has any."""
    return max(SEPARATORS, key=header.count)


def _logical(
    physical: list[str], start: int, separator: str, num_columns: int, problems: list[str]
) -> Iterator[tuple[int, list[str]]]:
    """Number of the first line and cells of each record; a quoted cell may span lines."""
    at = start
    while at < len(physical):
        if not physical[at].strip():
            at += 1
            continue
        try:
            yield at + 1, _cells(physical[at], separator)
            at += 1
            continue
        except RecordError as error:
            reason = error
        for end in range(at + 2, min(at + MAX_JOINED, len(physical)) + 1):
            try:
                cells = _cells("\n".join(physical[at:end]), separator)
            except RecordError:
                continue
            if len(cells) == num_columns:
                yield at + 1, cells
                at = end
                break
        else:
            problems.append(f"line {at + 1}: {reason}")
            at += 1


def _cells(line: str, separator: str) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(line), delimiter=separator, strict=True))
    except csv.Error as error:
        raise RecordError(f"not a CSV file: {error}") from None
    return [" ".join(cell.split()) for cell in rows[0]] if rows else []


def _is_header(cells: list[str]) -> bool:
    return set(NEEDED) <= {cell.lower() for cell in cells}


def _names(cells: list[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    for tool, columns in _OTHERS.items():
        if not set(names).isdisjoint(columns):
            raise RecordError(f"a file of {tool}, and only CodeCarbon's logs are read")
    for name in NEEDED:
        if name not in names:
            raise RecordError(f"not CodeCarbon's: column {name} is missing")
    for name in names:
        if name and names.count(name) > 1:
            raise RecordError(f"not CodeCarbon's: column {shown(name)} stands twice")
    return names


def _with_point(text: str) -> str:
    """`0,010` and `1.234,5` as Python writes them."""
    if "," not in text:
        return text
    if "." in text and text.rfind(".") > text.rfind(","):
        return text.replace(",", "")
    return text.replace(".", "").replace(",", ".")


def _unquoted(text: str) -> str:
    """A comma within a cell of a comma-separated file: decimal, unless it may group thousands."""
    if "," not in text or _THOUSANDS.fullmatch(text):
        return text  # `1,234` may be either: float() refuses it
    return _with_point(text)
