"""The tables in LaTeX, compiled by the real pdflatex with the real booktabs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.analysis.sample_records import a_record, put

HOSTILE = r"a|b & 5% $x$ #1 {y} ~ ^ \input{z} _ < > 模型 ±é Þ 🔥"
DOCUMENT = r"""\documentclass{article}
\usepackage[landscape,margin=1cm]{geometry}
\usepackage{booktabs,longtable}
\begin{document}
%s
\end{document}
"""


@pytest.mark.latex
def test_all_three_tables_compile(tmp_path: Path):
    runs = put(
        tmp_path / "measured",
        a_record(),
        a_record(model=HOSTILE, paper_row=None),
        a_record(task="action_recognition", model="tsm", paper_row="TSM (ResNet50)", data="sthv2"),
    )
    assert main(["tables", str(runs), "--out", str(tmp_path), "--format", "tex"]) == 0
    inputs = "\n".join(rf"\input{{table{i}.tex}}" for i in (1, 2, 3))
    (tmp_path / "all.tex").write_text(DOCUMENT % inputs)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "all.pdf").stat().st_size > 10_000
