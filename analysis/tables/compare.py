"""Columns that look at several lines at once: ranks with intervals, Pareto fronts.

Only lines of one comparison key compete, one line a model, and only where a sensor read the device
that computed. Networks that were tested on the same images are paired: the sampling of these
images is theirs alike, so ranks rest on the electricity's error alone and speak of this test set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.estimates.ranks import pareto_front, ranks
from analysis.estimates.tiers import READ
from analysis.tables.lines import Line
from metering.catalogue import TaskFacts

NOT_BEST_KNOWN = "another set-up of this model is the one that is ranked"


def add_comparisons(lines: Sequence[Line], task: TaskFacts, num_draws: int) -> None:
    """Ranks and fronts of a task's lines, written into them."""
    for group in _groups(lines):
        _add_ranks(group, num_draws)
        _add_front(group, f"published_{task.quality_key}")
    _add_published_front(lines, f"published_{task.quality_key}")


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


def _groups(lines: Iterable[Line]) -> list[list[Line]]:
    """Lines that compete with each other, one a model."""
    groups: dict[tuple[str, str], dict[str, list[Line]]] = {}
    for line in lines:
        one = line.measured
        if one is None or one.tier not in READ or not _is_result(line):
            continue
        key = one.comparison_key, one.dataset
        groups.setdefault(key, {}).setdefault(line.values["model"], []).append(line)
    chosen = []
    for models in groups.values():
        best = [min(some, key=_distance) for some in models.values()]
        for some in models.values():
            for line in some:
                if line not in best:
                    line.say("model", NOT_BEST_KNOWN)
        chosen.append(best)
    return chosen


def _is_result(line: Line) -> bool:
    kwh = line.values.get("estimated_train_kwh")
    half_width = line.values.get("estimated_train_kwh_half_width")
    return kwh is not None and (half_width is None or half_width < kwh)


def _distance(line: Line) -> tuple[int, int, str]:
    """From the set-up that a model is known by: no options of the user's, then most runs."""
    one = line.measured
    assert one is not None
    num_options = len(one.setup.asked.network_options) + (one.setup.asked.source_digest is not None)
    return num_options, -len(one.run_ids), one.row_key


def _add_ranks(group: Sequence[Line], num_draws: int) -> None:
    indices = [line.values.get("estimated_gqi") for line in group]
    widths = [line.gqi_half_width_by_kwh for line in group]
    for line, rank in zip(group, ranks(indices, widths, num_draws), strict=True):
        if rank is None:
            continue
        line.values |= {
            "estimated_rank": rank.rank,
            "estimated_rank_low": rank.low,
            "estimated_rank_high": rank.high,
            "estimated_rank_stability": rank.stability,
        }


def _add_front(group: Sequence[Line], published_accuracy: str) -> None:
    """The front needs two points; a lone one is on none."""
    accuracy = [
        line.measured.accuracy_pct
        if line.values.get("estimated_gqi_accuracy") == "measured" and line.measured
        else line.values.get(published_accuracy)
        for line in group
    ]
    kwh = [line.values.get("estimated_train_kwh") for line in group]
    if sum(value is not None for value in accuracy) < 2:
        return
    for line, on_front in zip(group, pareto_front(accuracy, kwh), strict=True):
        line.values["estimated_pareto"] = on_front
