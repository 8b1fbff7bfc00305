"""Figures 5 and 6: the same models on several GPUs, and with several batch sizes."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import look
from analysis.figures.frames import Frames
from analysis.figures.measured import compared, without_a_record
from analysis.figures.study_panel import Study, draw_others, draw_ours

COMMAND_5 = "python run.py -m experiment=hardware"
COMMAND_6 = "python run.py -m experiment=batch_size"
PAPERS_5 = ("mobilenet_v2", "resnet50", "swin_t", "efficientformer_l3")
PAPERS_6 = ("mobilenet_v2", "efficientnetv2_s", "swin_t", "efficientformer_l3")
"""The networks of the paper's studies (A.2 and A.3)."""
PHASES = {"train": "training", "test": "testing"}
SCOPES = {"cpu+gpu+ram": "CPU, GPU and RAM", "gpu": "the GPUs alone"}
"""Whose energy a panel of others' numbers is about: those of two scopes share no axis."""
PER_1000 = "Wh per 1,000 images, logarithmic"
MEASURED = "measured; bars are 95 % intervals"
NOBODY = "{phase}: no independent number of one network\non two boards with one set-up"
NOTHING_HERE = "nothing here was measured on two of them with one set-up"
OF_OTHERS = (
    "hollow triangles: independent, measured by others (docs/evidence.md){at}; boards and software "
    "differ, so compare the lines' shapes, not their heights"
)
_NOBODY = Frames().others


def figure5(runs: pd.DataFrame, others: pd.DataFrame = _NOBODY) -> Figure:
    """Wh per 1,000 images, logarithmic, a line per model over the GPUs it was measured on, and what
    other people measured of the paper's networks on theirs.

    `runs`, `others`: see `frames.py`. Only runs alike in batch size, precision and data are joined.
    """
    if not _any_group(runs, "device") and others.empty:
        devices = ", ".join(sorted(set(runs["device"].astype(str)))) or "none"
        return look.absent(
            "Figure 5: across devices",
            f"No model was measured on two devices with one set-up (devices so far: {devices}).",
            COMMAND_5,
        )
    study = Study(runs, others, "device", ("batch_size",))
    return _figure(study, _title(runs), PAPERS_5, COMMAND_5)


def _title(runs: pd.DataFrame) -> str:
    """By what was measured: a CPU is no GPU."""
    devices = [device for _, group in compared(runs, "device") for device in group["device"]]
    kinds = {"CPU" if str(device).startswith("CPU") else "GPU" for device in devices}
    if len(kinds) > 1:
        return "CPUs and GPUs"
    if not devices:
        return "GPUs"
    return f"{len(set(devices))} {'CPU set-ups' if kinds == {'CPU'} else 'GPUs'}"


def figure6(runs: pd.DataFrame, others: pd.DataFrame = _NOBODY) -> Figure:
    """Wh per 1,000 images over the batch size, both logarithmic, a line per model and device, and
    what other people measured of the paper's networks on theirs."""
    if not _any_group(runs, "batch_size") and others.empty:
        return look.absent(
            "Figure 6: across batch sizes",
            "No model was measured with two batch sizes on one device.",
            COMMAND_6,
        )
    study = Study(runs, others, "batch_size", ("device",))
    return _figure(study, "Batch sizes", PAPERS_6, COMMAND_6)


def _any_group(runs: pd.DataFrame, over: str) -> bool:
    return any(True for _ in compared(runs[runs["phase"] == "train"], over)) or any(
        True for _ in compared(runs[runs["phase"] == "test"], over)
    )


def _figure(study: Study, title: str, papers: tuple[str, ...], command: str) -> Figure:
    """A row of panels of ours, training and testing, and beneath what others measured."""
    has_ours = _any_group(study.runs, study.over)
    num_rows = has_ours + (not study.others.empty)
    with look.look():
        figure, grid = look.new_figure(
            look.FULL_IN, 0.8 + 2.4 * num_rows, nrows=num_rows, ncols=2, squeeze=False
        )
        for axes, phase in zip(grid[:has_ours].flat, PHASES, strict=False):
            axes.set(title=f"{title}: {PHASES[phase]}", ylabel=PER_1000)
            if not draw_ours(axes, study, phase):
                _say_nothing(axes, f"{phase}: not measured")
        for axes, phase in zip(grid[has_ours:].flat, PHASES, strict=False):
            axes.set(title=f"Independent: {PHASES[phase]}", ylabel=PER_1000)
            scope = draw_others(axes, study, phase)
            if scope is None:
                _say_nothing(axes, NOBODY.format(phase=PHASES[phase]))
            else:
                axes.set_title(f"Independent: {PHASES[phase]}, {SCOPES[scope]}")
        handles = {
            handle.get_label(): handle
            for axes in grid.flat
            for handle in axes.get_legend_handles_labels()[0]
        }
        figure.legend(
            handles=list(handles.values()),
            loc="outside lower center",
            ncols=3 if study.others.empty else 2,
            title="\n".join(_notes(study, list(map(str, handles)), papers, command)),
            title_fontsize=6.5,
        )
        return figure


def _say_nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=look.GREY)
    axes.set(xticks=[], yticks=[])


def _notes(study: Study, labels: list[str], papers: tuple[str, ...], command: str) -> list[str]:
    """What is said above the legend's entries."""
    small = any(label.endswith("*") for label in labels)
    models = [str(values["model"]) for values, _ in compared(study.runs, study.over)]
    captions = [f"{MEASURED}{'; ' + look.SMALL_LABEL if small else ''}" if models else NOTHING_HERE]
    if not study.others.empty:
        at = ", at 32 images a board" if study.over == "device" else ""
        captions.append(OF_OTHERS.format(at=at))
    captions.append(without_a_record(models, papers, command))
    return [look.wrap(text, 125) for text in captions if text]
