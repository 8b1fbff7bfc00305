"""All findings, in the order in which a reader needs them."""

from __future__ import annotations

import pandas as pd

from analysis.audit import epochs, outliers, power, printed, ranks, sensors
from analysis.audit.finding import Finding
from analysis.published import facts as published

CHANGED = {
    "MobileNetv2": "75 to 100 epochs, not 150",
    "MobileNet v3": "300 epochs, not 500 or 600",
    "ResNet18": "60 epochs likely by its siblings, 90 open, 120 unlikely",
    "ResNet50": "60 epochs likely, 90 open, 120 unlikely",
    "ResNet101": "60 epochs likely, 90 open, 120 unlikely",
    "ResNet152": "60 epochs likely, 90 open, 120 unlikely",
    "EfficientNet B0": "350 epochs stand, the energy is too high",
    "EfficientNet B7": "the energy fits 224 pixels",
    "EfficientNetv2 S": "the energy fits 224 pixels",
    "EfficientNetv2 M": "the energy fits 224 pixels",
    "EfficientNetv2 L": "the energy fits 224 pixels",
}
"""Row of `published/rates.csv` -> what other people's measurements say beside its note."""
OTHERS = "others' measurements: "
"""How that part of a note begins."""


def findings(energy: pd.DataFrame) -> list[Finding]:
    """`energy`: as `independent.facts.energy()` gives it, with or without a user's rows. These
    join the sets that orders and outliers are about; the findings on single boards that others
    measured stay as they are."""
    published_by_others = energy[energy["file"] == ""]
    return [
        *ranks.findings(energy),
        *outliers.findings(energy),
        *epochs.findings(published_by_others),
        *power.findings(published_by_others),
        *sensors.findings(),
        _notes(),
        *printed.findings(),
    ]


def _notes() -> Finding:
    rates = published.implied_rates()
    notes = {row: rates[(row, published.IMAGENET, "supervised")].note for row in CHANGED}
    lines = ["| Row | Note in rates.csv | Beside it |", "|---|---|---|"]
    lines += [
        f"| {row} | {notes[row].removesuffix(OTHERS + words).rstrip('; ') or '-'} | {words} |"
        for row, words in CHANGED.items()
    ]
    return Finding(
        "Notes on implied epochs",
        f"{len(CHANGED)} of {len(published.wide(published.IMAGENET))} rows need a word beside the "
        "note that the digits alone gave: MobileNets (fewer epochs), ResNets (60 likely), "
        "EfficientNet-B0 (energy too high), B7 and EfficientNetv2 (energy of 224 pixels).",
        "as the findings above",
        "The implied numbers themselves stay: any number of epochs reproduces the printed total, "
        "and `accounting=paper` is about that total.",
        "see the findings above",
        ("imagenet-energy-efficiency", "zeus", "timm-benchmark"),
        "the authors' number of epochs and image size",
        "\n".join(lines),
        {"rows": len(CHANGED)},
    )
