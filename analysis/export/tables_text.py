"""Rows of text as a Markdown and as a LaTeX table."""

from __future__ import annotations

from collections.abc import Sequence

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
    }
)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """With booktabs."""
    body = [f"{' & '.join(cell.translate(_LATEX) for cell in row)} \\\\" for row in rows]
    return "\n".join(
        (
            f"\\begin{{tabular}}{{{'l' * len(head)}}}",
            "\\toprule",
            f"{' & '.join(cell.translate(_LATEX) for cell in head)} \\\\",
            "\\midrule",
            *body,
            "\\bottomrule",
            "\\end{tabular}",
        )
    )
