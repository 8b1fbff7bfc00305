"""What the paper shows and nobody measured here, each with the command that would measure it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from analysis.figures.draw import COMMANDS, TITLES
from analysis.report.model import Missing
from analysis.tables.own import OWN
from analysis.tables.paper import STUDIES
from metering import catalogue


def missing(
    tables: Mapping[str, pd.DataFrame], absent_figures: Collection[str]
) -> tuple[Missing, ...]:
    """Rows without a full-scale measured training rate, then figures without data."""
    names = _model_names()
    lines = [
        Missing(TITLES[name], COMMANDS[name]) for name in TITLES if name in set(absent_figures)
    ]
    for table, frame in tables.items():
        if table in (OWN, STUDIES):
            continue
        full = frame["measured_train_kwh_per_sample"].notna() & (frame["scale"] != "small")
        done = set(frame.loc[full, ["model", "dataset"]].itertuples(index=False, name=None))
        printed = frame.loc[frame["published_train_kwh"].notna(), ["model", "dataset"]]
        for model, dataset in printed.drop_duplicates().itertuples(index=False, name=None):
            if (model, dataset) not in done:
                title = f"{table.replace('table', 'Table ')}: {model}, {dataset}"
                lines.append(Missing(title, _command(table, names.get(model, ""), dataset)))
    return tuple(lines)


def _command(table: str, model: str, dataset: str) -> str:
    if not model:
        return f"python run.py -m experiment={table}"
    known = catalogue.data_set(dataset)
    if known is None or known.task == "classification":  # its embedded files have ImageNet's size
        return f"python run.py model={model}"
    return f"python run.py model={model} data={known.name} data.root=FOLDER"


def _model_names() -> dict[str, str]:
    """The paper's row to the name of its model under `conf/model/`; nothing where the suite is
    installed without its configuration."""
    folder = Path(__file__).parents[2] / "conf" / "model"
    files = list(folder.iterdir()) if folder.is_dir() else []
    names: dict[str, str] = {}
    for file in sorted(files, key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            row = re.search(r"^ *paper_row: *(.+?) *$", file.read_text(), re.MULTILINE)
            if row:
                names.setdefault(row[1].strip("'\""), file.name.removesuffix(".yaml"))
    return names
