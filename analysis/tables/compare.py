"""Columns that look at several lines at once: ranks with intervals, Pareto fronts.

`estimates.competing` says which lines compete. Networks that were tested on the same images are
paired: the sampling of these images is theirs alike, so ranks rest on the electricity's error alone
and speak of this test set.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.estimates.competing import competitions, fronts
from analysis.estimates.ranks import pareto_front, ranks
from analysis.tables.lines import Line
from metering.catalogue import TaskFacts

ON_FRONT = (
    "on the Pareto front of what was measured here in one set-up: no other is as accurate for less "
    "(in {share:.0%} of what the intervals of the electricity allow)"
)
WITHIN_RUNS = (
    "nothing was repeated on this hardware: what differs from run to run is not in the rank's "
    "interval; repeats=3 measures it"
)


OF_SEVERAL_SWEEPS = (
    "the rows that were ranked are of several sweeps or boards; what changed between these is in "
    "the rank's interval only as far as one set-up was measured in several"
)


def add_comparisons(lines: Sequence[Line], task: TaskFacts, num_draws: int) -> None:
    """Ranks and fronts of a task's lines, written into them."""
    published = f"published_{task.quality_key}"
    ours = [line for line in lines if line.measured is not None]
    kwh = [line.values.get("estimated_train_kwh") for line in ours]
    half_widths = [line.values.get("estimated_train_kwh_half_width") for line in ours]
    boards = competitions(
        [line.measured for line in ours if line.measured is not None],
        kwh,
        half_widths,
    )
    for at, note in boards.notes.items():
        ours[at].say("model", note)
    for group in boards.groups:
        _add_ranks([ours[at] for at in group], num_draws)
    accuracy = [_accuracy_pct(line, published) for line in ours]
    for at, front in fronts(boards.groups, accuracy, kwh, half_widths).items():
        ours[at].values["estimated_pareto"] = front.is_on
        ours[at].values["estimated_pareto_share"] = front.share
        if front.is_on:
            ours[at].say("estimated_train_kwh", ON_FRONT.format(share=front.share))
    _add_published_front(lines, published)


def _accuracy_pct(line: Line, published: str) -> float | None:
    """The one that the index uses."""
    if line.values.get("estimated_gqi_accuracy") == "measured" and line.measured:
        return line.measured.accuracy_pct
    return line.values.get(published)


def _add_published_front(lines: Sequence[Line], accuracy: str) -> None:
    """A published row that is repeated for several set-ups is one point."""
    datasets: dict[str, dict[str, Line]] = {}
    for line in lines:
        datasets.setdefault(line.values["dataset"], {}).setdefault(line.values["model"], line)
    for dataset, points in datasets.items():
        front = pareto_front(
            [line.values.get(accuracy) for line in points.values()],
            [line.values.get("published_train_kwh") for line in points.values()],
        )
        on_front = dict(zip(points, front, strict=True))
        for line in lines:
            if line.values["dataset"] == dataset:
                line.values["published_pareto"] = on_front[line.values["model"]]


def _add_ranks(group: Sequence[Line], num_draws: int) -> None:
    indices = [line.values.get("estimated_gqi") for line in group]
    widths = [line.gqi_half_width_by_kwh for line in group]
    bases = [line.values.get("measured_train_interval") for line in group]
    is_within_runs = "within this run" in bases
    rows = [line.measured for line in group if line.measured is not None]
    is_of_one_sweep = set.intersection(*(set(row.in_sweeps) for row in rows))
    for line, rank in zip(group, ranks(indices, widths, num_draws), strict=True):
        if rank is None:
            continue
        line.values |= {
            "estimated_rank": rank.rank,
            "estimated_rank_low": rank.low,
            "estimated_rank_high": rank.high,
            "estimated_rank_stability": rank.stability,
        }
        if is_within_runs:
            line.say("estimated_rank", WITHIN_RUNS)
        if not is_of_one_sweep:
            line.say("estimated_rank", OF_SEVERAL_SWEEPS)
