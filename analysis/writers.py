"""A table's DataFrame as CSV, Markdown, LaTeX (booktabs) and HTML, with its footnotes."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis import published_facts as published

TITLES = {
    "table1": "Table 1. Semantic segmentation: electricity, accuracy and GQI",
    "table2": "Table 2. Action recognition: electricity, accuracy and GQI",
    "table3": "Table 3. Image classification on ImageNet-1k: electricity, accuracy and GQI",
}
HEADINGS = {
    "dataset": "Data set", "model": "Model", "hardware": "Hardware", "batch_size": "Batch",
    "precision": "Precision", "data": "Data", "variant": "Variant", "scale": "Scale",
    "gmacs": "GMACs", "params_m": "Params (M)", "train_kwh": "Train (kWh)",
    "top1_pct": "Top-1 (%)", "miou_pct": "mIoU (%)", "gqi": "GQI", "test_kwh": "Test (kWh)",
    "train_kwh_half_width": "Train ± (kWh)", "test_kwh_half_width": "Test ± (kWh)",
    "gqi_half_width": "GQI ±", "rank_stability": "Keeps rank", "accuracy_pct": "Accuracy (%)",
    "train_kwh_per_sample": "Train (kWh/sample)", "train_half_width": "Train ± (kWh/sample)",
    "test_kwh_per_sample": "Test (kWh/sample)", "test_half_width": "Test ± (kWh/sample)",
    "train_s_per_sample": "Train (s/sample)", "num_records": "Records", "sensors": "Sensors",
    "samples_per_kwh": "Samples/kWh", "top1_per_kwh": "Top-1/kWh", "pareto": "Pareto front",
    "train_kg_co2eq": "Train (kg CO2eq)", "flag": "Flag",
}  # fmt: skip
_KINDS = ("published", "measured", "estimated", "diff")


@dataclass(frozen=True)
class Grid:
    """A table as text: one kind and heading per column, cells with the marks of their footnotes."""

    title: str
    kinds: list[str]
    headings: list[str]
    cells: list[list[tuple[str, list[int]]]]
    footnotes: list[str]


def grid(name: str, table: pd.DataFrame) -> Grid:
    """Text of every cell; columns without any value are left out, footnotes numbered."""
    shown = [c for c in table.columns if c != "footnotes" and not _empty(table[c])]
    numbers: dict[str, int] = {}
    cells = []
    for row in table.to_dict("records"):
        notes = row.get("footnotes") or {}
        homeless = [text for column, text in notes.items() if column not in shown]
        line = []
        for column in shown:
            said = [notes[column]] if column in notes else []
            if column == "model":
                said += homeless
            marks = [numbers.setdefault(text, len(numbers) + 1) for text in said]
            line.append((_text(row, column), marks))
        cells.append(line)
    split = [_split(column) for column in shown]
    title = TITLES.get(name, TITLES.get(name.removesuffix("_diff"), name))
    if name.endswith("_diff"):
        title += ", ours against the published"
    return Grid(title, [k for k, _ in split], [h for _, h in split], cells, list(numbers))


def _empty(column: pd.Series) -> bool:
    return bool(column.isna().all() or (column.astype(str) == "").all())


def _split(column: str) -> tuple[str, str]:
    kind, _, rest = column.partition("_")
    if kind not in _KINDS:
        return "", HEADINGS.get(column, column)
    if kind == "diff":
        return "difference", HEADINGS.get(rest.removesuffix("_pct"), rest).split(" (")[0] + " (%)"
    return kind, HEADINGS.get(rest, rest)


def _text(row: dict[Any, Any], column: str) -> str:
    value = row[column]
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(float(value), column)
    if column == "model" and row.get("scale") == "small":
        return f"{value} [small]"
    return str(value)


def number(value: float, column: str) -> str:
    """Published values as printed; ours to the digits that mean something."""
    if column.startswith("published_") and not column.endswith("per_kwh"):
        return f"{value:.10g}"
    if column.startswith("diff_"):
        return f"{value:+.1f}"
    if column.endswith("half_width"):
        return f"{value:.2g}"
    if "gqi" in column or "stability" in column:
        return f"{value:.3f}"
    if value == int(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.4g}"


def to_csv(name: str, table: pd.DataFrame) -> str:
    """All columns, full precision; footnotes as `column: text` in the last one."""
    flat = table.copy()
    flat["footnotes"] = [
        "; ".join(f"{column}: {text}" for column, text in (notes or {}).items())
        for notes in table["footnotes"]
    ]
    return str(flat.to_csv(index=False, lineterminator="\n"))


def to_markdown(name: str, table: pd.DataFrame) -> str:
    """A pipe table; every heading says published, measured or estimated."""
    found = grid(name, table)
    heads = [f"{h}, {k}" if k else h for k, h in zip(found.kinds, found.headings, strict=True)]
    lines = [f"# {found.title}", "", _pipes(heads), _pipes(["---"] * len(heads))]
    for line in found.cells:
        lines.append(_pipes([_markdown_cell(text, marks) for text, marks in line]))
    lines.append("")
    lines += [f"{i}. {_escape_markdown(text)}" for i, text in enumerate(found.footnotes, 1)]
    lines += ["", *(f"- {note}" for note in published.TABLE_NOTES)]
    return "\n".join(lines) + "\n"


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_cell(text: str, marks: list[int]) -> str:
    return (_escape_markdown(text) or ("-" if marks else "")) + _marks(marks, "<sup>{}</sup>")


def _escape_markdown(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


def _marks(marks: list[int], form: str) -> str:
    return form.format(", ".join(map(str, marks))) if marks else ""


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip


def to_latex(name: str, table: pd.DataFrame) -> str:
    """A `longtable` with booktabs rules. Needs: booktabs, longtable; pdflscape if it is wide."""
    found = grid(name, table)
    heads = _spans(found.kinds)
    line_end = r" \\"
    lines = [
        "% \\usepackage{booktabs,longtable}",
        r"{\scriptsize\setlength{\tabcolsep}{3pt}",
        r"\begin{longtable}{" + "".join(_align(h) for h in found.headings) + "}",
        rf"\caption{{{_tex(found.title)}}}\label{{tab:{name}}}\\",
        r"\toprule",
        *heads,
        " & ".join(_tex(heading) for heading in found.headings) + line_end,
        r"\midrule\endhead\bottomrule\endfoot",
    ]
    for line in found.cells:
        cells = [_tex(text) + _marks(marks, r"\textsuperscript{{{}}}") for text, marks in line]
        lines.append(" & ".join(cells) + line_end)
    lines += [r"\end{longtable}", ""]
    notes = [rf"\textsuperscript{{{i}}}~{_tex(t)}." for i, t in enumerate(found.footnotes, 1)]
    lines += [rf"\noindent {' '.join([*notes, *map(_tex, published.TABLE_NOTES)])}", "}"]
    return "\n".join(lines) + "\n"


def _spans(kinds: list[str]) -> list[str]:
    """One line of headings over the columns of one kind, with its rules."""
    groups: list[tuple[str, int]] = []
    for kind in kinds:
        if groups and groups[-1][0] == kind:
            groups[-1] = (kind, groups[-1][1] + 1)
        else:
            groups.append((kind, 1))
    cells, rules, at = [], [], 1
    for kind, width in groups:
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{kind.capitalize()}}}")
        if kind:
            rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
        at += width
    return [" & ".join(cells) + r" \\", "".join(rules)] if rules else []


def _align(heading: str) -> str:
    names = ("dataset", "model", "hardware", "precision", "data", "variant", "scale", "sensors")
    return "l" if heading in {HEADINGS[name] for name in names} else "r"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def to_html(name: str, table: pd.DataFrame) -> str:
    """A plain `<table>`; everything that comes from a record is escaped."""
    found = grid(name, table)
    heads = "".join(
        f'<th class="{kind}">{html.escape(heading)}<br><small>{kind}</small></th>'
        for kind, heading in zip(found.kinds, found.headings, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(_html_cell(*cell) for cell in line) + "</tr>" for line in found.cells
    )
    notes = "".join(f"<li>{html.escape(text)}</li>" for text in found.footnotes)
    general = "".join(f"<p>{html.escape(note)}</p>" for note in published.TABLE_NOTES)
    return (
        f'<!doctype html><meta charset="utf-8"><title>{html.escape(found.title)}</title>\n'
        f"<table><caption>{html.escape(found.title)}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
        f"<ol>{notes}</ol>{general}\n"
    )


def _html_cell(text: str, marks: list[int]) -> str:
    return f"<td>{html.escape(text)}{_marks(marks, '<sup>{}</sup>')}</td>"


WRITERS: dict[str, Callable[[str, pd.DataFrame], str]] = {
    "csv": to_csv,
    "md": to_markdown,
    "tex": to_latex,
    "html": to_html,
}
