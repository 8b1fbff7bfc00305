"""Labels beside their points: each at the nearest place where it covers no marker, no other label
and no edge of the axes. The same data give the same places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

DISTANCES_PT = (3.0, 6.0, 10.0, 15.0, 21.0, 28.0, 36.0, 45.0, 56.0)
NUM_DIRECTIONS = 16
GREY = "#555555"


class Label(NamedTuple):
    """x, y: the point in data coordinates; radius_pt: of its marker."""

    text: str
    x: float
    y: float
    radius_pt: float = 2.0
    color: str = "#000000"


class Box(NamedTuple):
    """In pixels."""

    left: float
    bottom: float
    right: float
    top: float


def place(
    axes: Axes, labels: Sequence[Label], circles: Sequence[Label], fontsize: float = 5.4
) -> list[Text]:
    """Write `labels` on axes of a figure to which nothing else is added. circles: every marker, and
    any other place to keep free, `text` unused. A label away from its point gets a line."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    pixels = figure.dpi / 72
    frame = axes.get_window_extent()
    limits = Box(frame.x0, frame.y0, frame.x1, frame.y1)
    discs = _discs(axes, circles, pixels)
    taken: list[Box] = []
    texts = []
    for label in labels:
        text = axes.text(label.x, label.y, label.text, fontsize=fontsize, color=label.color)
        text.set_path_effects([withStroke(linewidth=1.4, foreground="white", alpha=0.8)])
        size = text.get_window_extent()
        x, y = axes.transData.transform((label.x, label.y))
        own = label.radius_pt * pixels
        candidates = list(_around(x, y, size.width, size.height, own, pixels))
        costs = [
            _cost(box, order, limits, discs, taken) + _line_cost((x, y), box, own, discs, taken)
            for order, box in enumerate(candidates)
        ]
        best = candidates[int(np.argmin(costs))]
        taken.append(best)
        corner = axes.transData.inverted().transform((best.left, best.bottom))
        text.set(ha="left", va="bottom", position=tuple(corner))
        text.set_in_layout(False)
        if not _is_beside((x, y), best, own + 3.5 * pixels):
            _line(axes, (x, y), best)
        texts.append(text)
    return texts


def _discs(axes: Axes, circles: Sequence[Label], pixels: float) -> np.ndarray:
    """Rows of centre and radius, in pixels."""
    if not circles:
        return np.zeros((0, 3))
    centres = axes.transData.transform([(circle.x, circle.y) for circle in circles])
    return np.column_stack([centres, [circle.radius_pt * pixels for circle in circles]])


def _around(
    x: float, y: float, width: float, height: float, radius: float, pixels: float
) -> Iterator[Box]:
    """Boxes of one size around a point, the nearest first."""
    for distance in DISTANCES_PT:
        reach = radius + distance * pixels
        for turn in np.arange(NUM_DIRECTIONS) * 2 * np.pi / NUM_DIRECTIONS:
            across, up = np.cos(turn), np.sin(turn)
            left = x + reach * across - width * (1 - across) / 2
            bottom = y + reach * up - height * (1 - up) / 2
            yield Box(left, bottom, left + width, bottom + height)


def _cost(box: Box, order: int, limits: Box, discs: np.ndarray, taken: Sequence[Box]) -> float:
    """How bad a place is: what it covers counts before how far it is."""
    outside = (
        box.left < limits.left
        or box.right > limits.right
        or box.bottom < limits.bottom
        or box.top > limits.top
    )
    over_labels = sum(overlap(box, other) for other in taken)
    across = np.maximum(np.maximum(box.left - discs[:, 0], discs[:, 0] - box.right), 0.0)
    up = np.maximum(np.maximum(box.bottom - discs[:, 1], discs[:, 1] - box.top), 0.0)
    over_discs = int((np.hypot(across, up) < discs[:, 2] + 1).sum())
    return 1e6 * outside + 1e4 * over_labels + 1e4 * over_discs + order


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share any area."""
    return (
        one.left < other.right
        and other.left < one.right
        and one.bottom < other.top
        and other.bottom < one.top
    )


def _line_cost(
    point: tuple[float, float], box: Box, own: float, discs: np.ndarray, taken: Sequence[Box]
) -> float:
    """What the line from a label to its point would cross, and whether another marker is nearer."""
    along = np.linspace(point, _nearest(point, box), 12)
    apart = np.hypot(*(discs[:, :2] - point).T)
    others = discs[apart > own + 1]
    gaps = np.hypot(*np.moveaxis(along[:, None] - others[None, :, :2], 2, 0))
    across = np.maximum(np.maximum(box.left - others[:, 0], others[:, 0] - box.right), 0.0)
    up = np.maximum(np.maximum(box.bottom - others[:, 1], others[:, 1] - box.top), 0.0)
    to_others = np.hypot(across, up) - others[:, 2]
    is_nearest = not len(others) or to_others.min() > np.hypot(*(along[-1] - point)) - own
    crossed = int((gaps < others[:, 2]).any(axis=0).sum())
    crossed += sum(overlap(Box(x, y, x + 1, y + 1), other) for x, y in along for other in taken)
    return 2e3 * crossed + 40 * (not is_nearest)


def _nearest(point: tuple[float, float], box: Box) -> tuple[float, float]:
    x, y = point
    return min(max(x, box.left), box.right), min(max(y, box.bottom), box.top)


def _is_beside(point: tuple[float, float], box: Box, near: float) -> bool:
    x, y = _nearest(point, box)
    return bool(np.hypot(x - point[0], y - point[1]) <= near)


def _line(axes: Axes, point: tuple[float, float], box: Box) -> None:
    """From the box's nearest place to its point."""
    ends = axes.transData.inverted().transform([point, _nearest(point, box)])
    style: dict[str, Any] = {"color": GREY, "lw": 0.4, "zorder": 2.5}
    axes.plot(ends[:, 0], ends[:, 1], **style)
