"""Rows of text as a Markdown and as a LaTeX table."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from analysis.errors import printable

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "\u00d7": r"$\times$", "·": r"$\cdot$", "\u00b5": r"$\mu$", "\u03bc": r"$\mu$",
    "²": r"$^2$", "³": r"$^3$", "→": r"$\rightarrow$", "≤": r"$\leq$", "≥": r"$\geq$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "€": "EUR",
    "\u2013": "--", "\u2014": "---", "\u2018": "`", "\u2019": "'", "\u201c": "``",
    "\u201d": "''", "\u2026": "...",
}  # fmt: skip
_LAST_KNOWN = "\u017e"
"""pdflatex knows the letters of Latin-1 and Latin Extended-A, up to here."""


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_markdown, line))} |" for line in lines)


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]) -> str:
    """With booktabs, its columns of `widths` of a text column, so that long cells break."""
    columns = "".join(f"p{{{width:g}\\linewidth}}" for width in widths)
    body = [f"{' & '.join(map(latex_text, row))} \\\\" for row in rows]
    return "\n".join(
        (
            f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
            "\\toprule",
            f"{' & '.join(map(latex_text, head))} \\\\",
            "\\midrule",
            *body,
            "\\bottomrule",
            "\\end{tabular}",
        )
    )


def latex_text(text: str) -> str:
    """`text` as pdflatex prints it; a letter that it does not know as the ones that look like it,
    else as a question mark."""
    return "".join(map(_latex, one_line(text)))


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _latex(letter: str) -> str:
    if letter in _LATEX:
        return _LATEX[letter]
    if letter.isascii() or (letter.isalpha() and letter <= _LAST_KNOWN):
        return letter
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return "".join(_LATEX.get(letter, letter) for letter in plain) or "?"


def _markdown(cell: str) -> str:
    return one_line(cell).replace("|", "/")
