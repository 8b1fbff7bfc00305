"""Figures 5 and 6: the same models on several GPUs, and with several batch sizes."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures import look
from analysis.figures.measured import compared, name_of, without_a_record

COMMAND_5 = "python run.py -m experiment=hardware"
COMMAND_6 = "python run.py -m experiment=batch_size"
PAPERS_5 = ("mobilenet_v2", "resnet50", "swin_t", "efficientformer_l3")
PAPERS_6 = ("mobilenet_v2", "efficientnetv2_s", "swin_t", "efficientformer_l3")
"""The networks of the paper's studies (A.2 and A.3)."""
PHASES = {"train": "training", "test": "testing"}
PER_1000 = "Wh per 1,000 images, logarithmic"


def figure5(runs: pd.DataFrame) -> Figure:
    """Wh per 1,000 images, logarithmic, a line per model over the GPUs it was measured on.

    `runs`: see `frames.py`. Only runs alike in batch size, precision and data are joined.
    """
    if not _any_group(runs, "device"):
        devices = ", ".join(sorted(set(runs["device"].astype(str)))) or "none"
        return look.absent(
            "Figure 5: across devices",
            f"No model was measured on two devices with one set-up (devices so far: {devices}).",
            COMMAND_5,
        )
    return _two_panels(runs, "device", _title(runs), None, ("batch_size",), (PAPERS_5, COMMAND_5))


def _title(runs: pd.DataFrame) -> str:
    """By what was measured: a CPU is no GPU."""
    devices = [one for _, group in compared(runs, "device") for one in group["device"]]
    kinds = {"CPU" if str(device).startswith("CPU") else "GPU" for device in devices}
    if len(kinds) > 1:
        return "CPUs and GPUs"
    return f"{len(set(devices))} {'CPU set-ups' if kinds == {'CPU'} else 'GPUs'}"


def figure6(runs: pd.DataFrame) -> Figure:
    """Wh per 1,000 images over the batch size, both logarithmic, a line per model and device."""
    if not _any_group(runs, "batch_size"):
        return look.absent(
            "Figure 6: across batch sizes",
            "No model was measured with two batch sizes on one device.",
            COMMAND_6,
        )
    return _two_panels(
        runs,
        "batch_size",
        "Batch sizes",
        "batch size, logarithmic",
        ("device",),
        (PAPERS_6, COMMAND_6),
    )


def _any_group(runs: pd.DataFrame, over: str) -> bool:
    return any(True for _ in compared(runs[runs["phase"] == "train"], over)) or any(
        True for _ in compared(runs[runs["phase"] == "test"], over)
    )


def _two_panels(
    runs: pd.DataFrame,
    over: str,
    title: str,
    x_label: str | None,
    also: tuple[str, ...],
    papers: tuple[tuple[str, ...], str],
) -> Figure:
    with look.look():
        figure, panels = look.new_figure(look.FULL_IN, 3.0, ncols=2)
        places = {name: k for k, name in enumerate(sorted(set(runs[over])))}
        styles: dict[str, dict[str, Any]] = {}
        for axes, phase in zip(panels, ("train", "test"), strict=True):
            drawn = _panel(axes, runs[runs["phase"] == phase], over, places, styles, also)
            axes.set(title=f"{title}: {PHASES[phase]}", ylabel=PER_1000)
            if not drawn:
                axes.text(
                    0.5,
                    0.5,
                    f"{phase}: not measured",
                    transform=axes.transAxes,
                    ha="center",
                    color=look.GREY,
                )
                continue
            look.log_axis(axes.yaxis)
            if over == "device":
                axes.set_xticks(
                    list(places.values()),
                    [look.wrap(look.short_device(n).replace("-", " "), 9) for n in places],
                )
                axes.set_xlim(-0.4, len(places) - 0.6)
            else:
                axes.set_xscale("log", base=2)
                axes.set_xticks(list(places), [str(value) for value in places])
                axes.xaxis.minorticks_off()
                axes.set_xlabel(x_label or "")
                axes.xaxis.grid(True)
        handles = {h.get_label(): h for axes in panels for h in axes.get_legend_handles_labels()[0]}
        small = any(str(label).endswith("*") for label in handles)
        note = f"measured; bars are 95 % intervals{'; ' + look.SMALL_LABEL if small else ''}"
        models = [str(values["model"]) for values, _ in compared(runs, over)]
        gone = without_a_record(models, *papers)
        figure.legend(
            handles=list(handles.values()),
            loc="outside lower center",
            ncols=3,
            title="\n".join(filter(None, (note, gone))),
            title_fontsize=6.5,
        )
        return figure


def _panel(
    axes: Axes,
    runs: pd.DataFrame,
    over: str,
    places: dict[Any, int],
    styles: dict[str, dict[str, Any]],
    also: tuple[str, ...],
) -> bool:
    drawn = 0
    for values, group in compared(runs, over):
        label = name_of(values, *also)
        if also == ("batch_size",):
            label = label.replace(f", {values['batch_size']}", f", batch {values['batch_size']}")
        number = len(styles)
        style = styles.setdefault(
            label,
            {
                "color": look.CYCLE[number % len(look.CYCLE)],
                "marker": look.MARKERS[number % len(look.MARKERS)],
                "ls": ":" if values["is_small"] else "-",
            },
        )
        step = 0.05 * (drawn - 1)  # side by side: no point hides another
        x = [
            places[value] + step if over == "device" else value * 2.0**step for value in group[over]
        ]
        errors = 1e6 * pd.to_numeric(group["half_width_kwh_per_sample"]).to_numpy(float)
        axes.errorbar(
            x,
            1e6 * group["kwh_per_sample"].to_numpy(float),
            yerr=errors,
            capsize=2,
            label=label,
            **style,
        )
        drawn += 1
    return drawn > 0
