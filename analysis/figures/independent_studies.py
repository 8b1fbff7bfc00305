"""What other people measured of a study's networks: over boards, and over batch sizes."""

from __future__ import annotations

import pandas as pd

from analysis.figures.frames import OTHERS_COLUMNS
from analysis.independent.facts import energy

SHORT_NAMES = {
    "MobileNetv2": "mobilenet_v2",
    "ResNet50": "resnet50",
    "Swin-T": "swin_t",
    "EfficientNetv2 S": "efficientnetv2_s",
    "EfficientFormer-L3": "efficientformer_l3",
}
"""Row of Table 3 -> short name of the network, of those in the paper's studies (A.2 and A.3)."""
PAPERS_BATCH_SIZE = 32
USES = ("yes", "data-bound", "rank")
"""A GPU that idled is left out: its energy is not a network's."""


def independent_energies(energies: pd.DataFrame | None = None) -> pd.DataFrame:
    """`frames.OTHERS_COLUMNS`: Wh per 1,000 images of the networks of the paper's studies, whose
    energy it is, on what, at which batch size of a board, and what belongs together. `energies`:
    as `independent.own_file.with_files` gives them, else the shipped ones."""
    table = energy() if energies is None else energies
    table = table[table["row"].isin(SHORT_NAMES) & table["use"].isin(USES)]
    num_gpus = table["num_gpus"].fillna(1)
    frame = pd.DataFrame(
        {
            "model": table["row"].map(SHORT_NAMES),
            "phase": table["phase"],
            "scope": table["scope"],
            "device": table["hardware"],
            "num_gpus": num_gpus.astype(int),
            "batch_size": (table["batch_size"] / num_gpus).astype("Int64"),
            "wh_per_1000": table["energy_j"] / table["num_samples"] / 3.6,
            "software": table["framework"].str.split(" ").str[0],
            "source": table["source"],
        },
        columns=list(OTHERS_COLUMNS),
    )
    return frame.dropna(subset=["batch_size"]).reset_index(drop=True)


def lines_of(others: pd.DataFrame, over: str, phase: str) -> tuple[str, list[pd.DataFrame]]:
    """A scope, and the lines of that scope and phase that differ in `over` (`device` or
    `batch_size`), over two values or more, and in nothing else that is known of them; of several
    scopes the one with most lines. Over batch sizes: on one board. Over devices: at 32 images a
    board, as in the paper's study."""
    part = others[others["phase"] == phase]
    by_scope = {
        str(scope): _lines(of_scope, over) for scope, of_scope in part.groupby("scope", sort=True)
    }
    sensed = {scope: lines for scope, lines in by_scope.items() if scope != "wall"}
    return max(sensed.items(), key=lambda line: len(line[1]), default=("gpu", []))


def _lines(part: pd.DataFrame, over: str) -> list[pd.DataFrame]:
    if over == "batch_size":
        part, keys = part[part["num_gpus"] == 1], ["model", "source", "software", "device"]
    else:
        part, keys = part[part["batch_size"] == PAPERS_BATCH_SIZE], ["model", "source", "software"]
    order = "batch_size" if over == "batch_size" else "wh_per_1000"
    lines = [line.drop_duplicates(over) for _, line in part.groupby(keys, sort=False)]
    return [line.sort_values(order) for line in lines if len(line) > 1]
