"""All figures by name, from one set of frames."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.figures import figure4 as _figure4
from analysis.figures.figure1 import figure1
from analysis.figures.figure2 import figure2
from analysis.figures.figure3 import figure3
from analysis.figures.figure4 import figure4
from analysis.figures.figure5_6 import COMMAND_5, COMMAND_6, figure5, figure6
from analysis.figures.figure7_8 import COMMAND_7, COMMAND_8, figure7, figure8
from analysis.figures.figure_a5 import figure_a5
from analysis.figures.figure_independent import figure_independent
from analysis.figures.frames import Frames

TITLES = {
    "figure1": "Figure 1: models and household appliances",
    "figure2": "Figure 2: accuracy and GQI against electricity",
    "figure3": "Figure 3: what pre-training adds",
    "figure4": "Figure 4: self-supervised pre-training, fine-tuning and inference",
    "figure5": "Figure 5: across devices",
    "figure6": "Figure 6: across batch sizes",
    "figure7": "Figure 7: linearity in epochs",
    "figure8": "Figure 8: linearity in the share of data",
    "figure_independent": "Beside other people's measurements",
    "figure_a5": "Appendix A.5: GQI under other alpha and beta",
}

COMMANDS = {
    "figure4": _figure4.COMMAND,
    "figure5": COMMAND_5,
    "figure6": COMMAND_6,
    "figure7": COMMAND_7,
    "figure8": COMMAND_8,
}
"""What would measure the figures that the published facts alone cannot draw."""


def draw_all(frames: Frames) -> dict[str, Figure]:
    """Every figure under its name in `TITLES`; one without data says so on its face."""
    return {
        "figure1": figure1(
            frames.rows, frames.appliances, frames.references, frames.language_models
        ),
        "figure2": figure2(frames.rows),
        "figure3": figure3(frames.rows),
        "figure4": figure4(frames.stages),
        "figure5": figure5(frames.runs, frames.others),
        "figure6": figure6(frames.runs, frames.others),
        "figure7": figure7(frames.runs),
        "figure8": figure8(frames.runs),
        "figure_independent": figure_independent(frames.beside),
        "figure_a5": figure_a5(frames.rows),
    }


def is_absent(figure: Figure) -> bool:
    """Whether the figure only says that its data were never measured."""
    return figure.get_label() == "absent"
