"""A table's DataFrame as CSV, Markdown, LaTeX (booktabs) and HTML, with its footnotes."""

from __future__ import annotations

import html
from collections.abc import Callable

import pandas as pd

from analysis.errors import printable
from analysis.tables.grid import HEADINGS, TRANSPOSED, Grid


def to_csv(table: pd.DataFrame) -> str:
    """All columns, full precision; footnotes as `column: text` in the last one. A text that a
    spreadsheet would take for a formula begins with an apostrophe, and what a terminal would obey
    is spelled out."""
    flat = table.copy()
    flat["footnotes"] = [
        "; ".join(f"{column}: {text}" for column, text in (notes or {}).items())
        for notes in table["footnotes"]
    ]
    for column in flat.columns:
        if not pd.api.types.is_numeric_dtype(flat[column]):
            flat[column] = flat[column].map(_no_formula)
    return str(flat.to_csv(index=False, lineterminator="\n"))


_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001  (full-width ones count in some locales)


def _no_formula(value: object) -> object:
    value = printable(value) if isinstance(value, str) else value
    is_formula = isinstance(value, str) and value.lstrip().startswith(_FORMULA)
    return f"'{value}" if is_formula else value


def markdown(grid: Grid) -> str:
    """A pipe table with its notes; every heading says published, measured or estimated."""
    heads = [f"{h}, {k}" if k else h for k, h in zip(grid.kinds, grid.headings, strict=True)]
    lines = [f"# {grid.title}", "", _pipes(heads), _pipes(["---"] * len(heads))]
    for line in grid.cells:
        lines.append(_pipes([_markdown_cell(text, marks) for text, marks in line]))
    lines.append("")
    lines += [f"{i}. {_escape_markdown(text)}" for i, text in enumerate(grid.footnotes, 1)]
    if grid.table_notes:
        lines += ["", *(f"- {note}" for note in grid.table_notes)]
    return "\n".join(lines) + "\n"


def _pipes(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_cell(text: str, marks: list[int]) -> str:
    return (_escape_markdown(text) or ("-" if marks else "")) + _marks(marks, "<sup>{}</sup>")


def _escape_markdown(text: str) -> str:
    return html.escape(printable(text), quote=False).replace("|", "\\|").replace("\n", " ")


def _marks(marks: list[int], form: str) -> str:
    return form.format(", ".join(map(str, marks))) if marks else ""


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
_IN_LATEX = frozenset(map(chr, range(0xA1, 0x180))) - set("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
"""Letters beyond ASCII that pdfLaTeX prints in its default encoding (tried, TeX Live 2022)."""


def latex(name: str, grid: Grid) -> str:
    """A `longtable` with booktabs rules, whose label is `tab:` and `name`. Needs the packages
    booktabs and longtable, and pdflscape if it is wide."""
    heads = _spans(grid.kinds)
    line_end = r" \\"
    lines = [
        "% \\usepackage{booktabs,longtable}",
        r"{\scriptsize\setlength{\tabcolsep}{3pt}",
        r"\begin{longtable}{" + "".join(_align(h, grid.left) for h in grid.headings) + "}",
        rf"\caption{{{_tex(grid.title)}}}\label{{tab:{name}}}\\",
        r"\toprule",
        *heads,
        " & ".join(_tex(heading) for heading in grid.headings) + line_end,
        r"\midrule\endhead\bottomrule\endfoot",
    ]
    for line in grid.cells:
        cells = [_tex(text) + _marks(marks, r"\textsuperscript{{{}}}") for text, marks in line]
        lines.append(" & ".join(cells) + line_end)
    lines += [r"\end{longtable}", ""]
    notes = [rf"\textsuperscript{{{i}}}~{_tex(t)}." for i, t in enumerate(grid.footnotes, 1)]
    lines += [rf"\noindent {' '.join([*notes, *map(_tex, grid.table_notes)])}", "}"]
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


def _align(heading: str, left: frozenset[str]) -> str:
    names = ("dataset", "model", "hardware", "precision", "data", "variant", "scale", "sensors")
    return "l" if heading in {*left, *TRANSPOSED, *(HEADINGS[name] for name in names)} else "r"


def _tex(text: str) -> str:
    return "".join(map(_tex_character, printable(text)))


def _tex_character(character: str) -> str:
    """As pdfLaTeX can print it without a font or package of another script."""
    if character in _TEX:
        return _TEX[character]
    return character if character.isascii() or character in _IN_LATEX else f"U+{ord(character):04X}"


def html_page(grid: Grid) -> str:
    """A page with the table alone; everything that comes from a record is escaped."""
    heads = "".join(
        f'<th class="{kind}">{html.escape(heading)}<br><small>{kind}</small></th>'
        for kind, heading in zip(grid.kinds, grid.headings, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(_html_cell(*cell) for cell in line) + "</tr>" for line in grid.cells
    )
    notes = "".join(f"<li>{html.escape(text)}</li>" for text in grid.footnotes)
    general = "".join(f"<p>{html.escape(note)}</p>" for note in grid.table_notes)
    return (
        f'<!doctype html><meta charset="utf-8"><title>{html.escape(grid.title)}</title>\n'
        f"<table><caption>{html.escape(grid.title)}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
        f"<ol>{notes}</ol>{general}\n"
    )


def _html_cell(text: str, marks: list[int]) -> str:
    return f"<td>{html.escape(text)}{_marks(marks, '<sup>{}</sup>')}</td>"


FROM_GRID: dict[str, Callable[[str, Grid], str]] = {
    "md": lambda _, grid: markdown(grid),
    "tex": latex,
    "html": lambda _, grid: html_page(grid),
}
FORMATS = ("csv", *FROM_GRID)
