"""One line of a table: what is published, what was measured, and what follows from it.

A column's prefix says which of the three a number is; `notes` maps a column to what must be said
of the number in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.errors import utf8
from analysis.estimates import accuracy as accuracies
from analysis.estimates import metrics, net, wall
from analysis.estimates.accounting import Accounting, Costs, num_test_samples
from analysis.estimates.accuracy import Accuracy
from analysis.estimates.estimate import Estimate
from analysis.estimates.measured import Measured
from analysis.published import facts as published
from analysis.tables.epochs import epochs_of
from metering import catalogue
from metering.catalogue import TaskFacts

SETUP_COLUMNS = (
    "hardware",
    "device",
    "batch_size",
    "precision",
    "data",
    "variant",
    "scale",
    "tier",
    "collection",
)
KEY_COLUMNS = ("row_key", "comparison_key", "identity", "run_id", "path")
"""Which set-up a line is of, and which runs it rests on; several are joined by `; `."""

KEPT_BATCHES = "batches were kept on the device: reading and decoding are in no number"
"""How the note on such a row begins."""


@dataclass(frozen=True)
class Options:
    """accounting: which recipe; evaluations, checkpoints: so many per epoch are added to an
    estimate; alpha, beta: of every GQI, published ones included; num_draws: of the ranks;
    independent: a user's own files of independent numbers."""

    accounting: Accounting = "source"
    alpha: float = metrics.ALPHA
    beta: float = metrics.BETA
    num_draws: int = 2_000
    evaluations: float = 0.0
    checkpoints: float = 0.0
    independent: tuple[str, ...] = ()

    def costs(self, merged: list[Measured]) -> Costs:
        return Costs(merged, self.accounting, self.evaluations, self.checkpoints)


DEFAULTS = Options()


@dataclass
class Line:
    """values: by column; notes: by column; measured: `None` for a row that is only published;
    gqi_half_width_by_kwh: of the index where only the electricity is uncertain, as between
    networks that were tested on the same images."""

    values: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    measured: Measured | None = None
    gqi_half_width_by_kwh: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.values["model"], self.values["dataset"]

    def say(self, column: str, *texts: str) -> None:
        """Add to what is noted of a column."""
        with_earlier = (self.notes.get(column, ""), *texts)
        if text := "; ".join(dict.fromkeys(filter(None, with_earlier))):
            self.notes[column] = text


def published_line(printed: Mapping[Any, Any], task: TaskFacts, options: Options) -> Line:
    """A row of the paper. printed: model, dataset and each published quantity."""
    key = (printed["model"], printed["dataset"])
    values = {f"published_{name}": value for name, value in printed.items() if pd.notna(value)}
    notes = {f"published_{name}": note for name, note in published.notes().get(key, {}).items()}
    line = Line(values | {"model": key[0], "dataset": key[1]}, notes)
    accuracy, kwh = printed.get(task.quality_key), printed.get("train_kwh")
    if (options.alpha, options.beta) != (metrics.ALPHA, metrics.BETA):
        index = metrics.gqi(accuracy, kwh, alpha=options.alpha, beta=options.beta)
        line.values["published_gqi"] = index.value
        line.say(
            "published_gqi",
            f"of the printed accuracy and electricity with alpha={options.alpha:g} and "
            f"beta={options.beta:g}, not the paper's {metrics.ALPHA:g} and {metrics.BETA:g}",
        )
    top1 = printed.get("top1_pct")
    if top1 is not None and kwh is not None and pd.notna(top1) and pd.notna(kwh):
        line.values["published_top1_per_kwh"] = metrics.top1_per_kwh(top1, kwh)
    return line


def measured_line(base: Line, measured: Measured, costs: Costs, options: Options) -> Line:
    """`base` with what `measured` measured and what follows from it."""
    line = Line(dict(base.values), dict(base.notes), measured)
    asked = measured.setup.asked
    line.values |= {
        "task": measured.task,
        "hardware": measured.hardware,
        "device": measured.device,
        "batch_size": asked.batch_size,
        "precision": asked.precision,
        "data": asked.data.name,
        "variant": measured.variant,
        "scale": asked.scale,
        "tier": measured.tier,
        "collection": measured.collection,
        "row_key": measured.row_key,
        "comparison_key": measured.comparison_key,
        "identity": "; ".join(measured.identities),
        "run_id": "; ".join(measured.run_ids),
        "path": utf8("; ".join(measured.paths)),
        "measured_gmacs": measured.gmacs,
        "measured_params_m": measured.params_m,
        f"measured_{_task(measured).quality_key}": measured.accuracy_pct,
    }
    if measured.views is not None:
        line.values |= {
            "measured_views": measured.views,
            "measured_test_gmacs": measured.gmacs and measured.gmacs * measured.views,
        }
    line.say("model", *_about(measured))
    _add_rates(line, measured)
    _add_estimate(line, measured, costs.estimate(measured), options)
    return line


def _task(measured: Measured) -> TaskFacts:
    known = catalogue.task(measured.task)
    return known or TaskFacts(
        measured.task, measured.task, measured.task, "accuracy_pct", "Accuracy", "sample"
    )


def _about(measured: Measured) -> list[str]:
    notes = list(measured.notes)
    if measured.setup.asked.scale == "small":
        notes.insert(0, "small: a scaled-down study, not the paper's set-up")
    elif not measured.is_at_recipe_size:
        notes.insert(0, "not shown to be measured at the recipe's input size")
    if measured.tier == "modelled":
        notes.insert(0, "modelled: rated power x load, no sensor read the device that computed")
    if "kept_batches" in measured.setup.asked.data.options:
        notes.append(f"{KEPT_BATCHES}, so it is the network's part of {measured.dataset}'s cost")
    elif measured.setup.asked.data.origin == "embedded":
        notes.append(
            f"embedded files stand in for {measured.dataset}'s cost, never for its accuracy"
        )
    if measured.kind == "codecarbon":
        notes.insert(0, "CodeCarbon alone: warm-up included")
    return notes


def _add_rates(line: Line, measured: Measured) -> None:
    train, test = measured.train_rate, measured.test_rate
    if train is not None:
        line.values |= {
            "measured_train_kwh_per_sample": train.kwh_per_sample,
            "measured_train_half_width": train.half_width,
            "measured_train_interval": train.basis,
            "measured_train_s_per_sample": train.s_per_sample,
            "measured_num_records": train.num_records,
            "measured_sensors": train.sensors,
            "measured_samples_per_kwh": metrics.samples_per_kwh(train.kwh_per_sample),
        } | net.columns("train", train, line.notes)
    if test is None:
        return
    line.values |= {
        "measured_test_kwh_per_sample": test.kwh_per_sample,
        "measured_test_half_width": test.half_width,
        "measured_test_interval": test.basis,
        "measured_test_s_per_sample": test.s_per_sample,
    } | net.columns("test", test, line.notes)
    if train is None:
        line.values |= {"measured_num_records": test.num_records, "measured_sensors": test.sensors}
    samples = num_test_samples(measured)
    if samples and measured.tier != "small":
        line.values |= {
            "estimated_test_kwh": samples * test.kwh_per_sample,
            "estimated_test_kwh_half_width": test.half_width and samples * test.half_width,
        }


def _add_estimate(line: Line, measured: Measured, estimated: Estimate, options: Options) -> None:
    line.say("estimated_train_kwh", *estimated.notes)
    train = measured.train_rate
    if estimated.kwh is None:
        line.values |= wall.columns(measured.wall_meter, train, measured.num_nodes)
        return
    kwh, half_width = estimated.kwh.value, estimated.kwh.half_width
    if (epochs := epochs_of(measured, options.accounting)) is not None:
        line.values |= {
            "estimated_epochs": epochs.ours,
            "published_implied_epochs": epochs.implied,
        }
        line.say("estimated_train_kwh", epochs.note(measured.dataset))
    share = estimated.published_share or 0.0
    if share:
        line.say("estimated_train_kwh", f"{100 * share:.3g} % of it is published: no interval")
    line.values |= {
        "estimated_train_kwh": kwh,
        "estimated_train_kwh_half_width": half_width,
        "estimated_published_share_pct": 100 * share,
    } | wall.columns(
        measured.wall_meter, train, measured.num_nodes, kwh, half_width, estimated.published_kwh
    )
    if train is not None:
        factor = train.emission_factor
        line.say("estimated_train_kg_co2eq", factor.note)
        if factor.kg_per_kwh is not None:
            line.values["estimated_train_kg_co2eq"] = factor.kg_per_kwh * (
                kwh - estimated.published_kwh
            )
            if share:
                line.say("estimated_train_kg_co2eq", "of the measured part alone")
    _add_index(line, measured, kwh, half_width, options)


def _add_index(
    line: Line, measured: Measured, kwh: float, half_width: float | None, options: Options
) -> None:
    task = _task(measured)
    accuracy = accuracies.of_row(measured, line.values.get(f"published_{task.quality_key}"), task)
    if accuracy is None:
        return
    line.values["estimated_gqi_accuracy"] = accuracy.origin
    if accuracy.origin == "measured":
        line.say("estimated_gqi", "with the accuracy measured here")
    if task.quality_key == "top1_pct":
        line.values["estimated_top1_per_kwh"] = metrics.top1_per_kwh(accuracy.value_pct, kwh)
    if half_width is not None and half_width >= kwh:
        line.say("estimated_gqi", "no index: the electricity's interval is wider than its number")
        return

    def index(accuracy_half_width_pct: float | None) -> metrics.Gqi:
        return metrics.gqi(
            accuracy.value_pct,
            kwh,
            half_width,
            alpha=options.alpha,
            beta=options.beta,
            accuracy_half_width_pct=accuracy_half_width_pct,
        )

    whole = index(accuracy.half_width_pct)
    line.gqi_half_width_by_kwh = index(0.0).half_width
    line.values |= {"estimated_gqi": whole.value, "estimated_gqi_half_width": whole.half_width}
    line.say("estimated_gqi", whole.note, _why_no_interval(accuracy) if whole.value else "")


def _why_no_interval(accuracy: Accuracy) -> str:
    return accuracy.note if accuracy.half_width_pct is None else ""
