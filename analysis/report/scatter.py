"""Figure 2 for the page: where each marker and tick of the two panels stands, in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.report.model import Point

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 420, 52, 44, 28, 14


@dataclass(frozen=True)
class Marker:
    x: float
    y: float
    radius: float
    tip: str
    point: Point


@dataclass(frozen=True)
class Tick:
    place: float
    label: str


@dataclass(frozen=True)
class Panel:
    """One panel; all places in pixels from its upper left corner. front: the points of the Pareto
    front of the published rows, as SVG has them; own_fronts: of each group of rows that were
    measured here and compete."""

    title: str
    y_label: str
    markers: tuple[Marker, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    front: str = ""
    own_fronts: tuple[str, ...] = ()


def panels(points: Sequence[Point]) -> tuple[Panel, ...]:
    """(a) accuracy and (b) GQI over log10 kWh; larger markers first, so none hides another."""
    ordered = sorted(points, key=lambda point: -point.train_kwh)
    accuracy = [(point, point.accuracy_pct) for point in ordered]
    index = [(point, point.gqi) for point in ordered if point.gqi is not None]
    drawn = (
        _with_own_fronts(_panel("(a) Accuracy", "top-1 accuracy, %", accuracy)),
        _panel("(b) GQI", "Green Quotient Index", index),
    )
    return tuple(panel for panel in drawn if panel.markers)


def _panel(title: str, y_label: str, values: Sequence[tuple[Point, float]]) -> Panel:
    if not values:
        return Panel(title, y_label, (), (), ())
    exponents = [math.log10(point.train_kwh) for point, _ in values]
    x_low, x_high = _widened(min(exponents), max(exponents))
    y_low, y_high = _widened(min(y for _, y in values), max(y for _, y in values))

    def x_of(exponent: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (exponent - x_low) / (x_high - x_low), 1)

    def y_of(value: float) -> float:
        span = HEIGHT - TOP - BOTTOM
        return round(HEIGHT - BOTTOM - span * (value - y_low) / (y_high - y_low), 1)

    markers = tuple(
        Marker(x_of(exponent), y_of(y), _radius(point.train_kwh), tip(point), point)
        for (point, y), exponent in zip(values, exponents, strict=True)
    )
    decades = range(math.ceil(x_low), math.floor(x_high) + 1)
    x_ticks = tuple(Tick(x_of(exponent), f"{10.0**exponent:,.10g}") for exponent in decades)
    y_ticks = tuple(Tick(y_of(value), f"{value:.10g}") for value in _steps(y_low, y_high))
    return Panel(title, y_label, markers, x_ticks, y_ticks, _front(markers))


def _front(markers: Sequence[Marker]) -> str:
    """Published rows than which no other reaches more with less electricity. Other kinds of
    number do not compete with them."""
    published = [marker for marker in markers if marker.point.kind == "published"]
    best, places = math.inf, []
    for marker in sorted(published, key=lambda marker: (marker.x, marker.y)):
        if marker.y < best:  # a place further up
            best = marker.y
            places.append(f"{marker.x},{marker.y}")
    return " ".join(places)


def _with_own_fronts(panel: Panel) -> Panel:
    groups: dict[str, list[Marker]] = {}
    for marker in sorted(panel.markers, key=lambda marker: marker.x):
        if marker.point.on_front:
            groups.setdefault(marker.point.group, []).append(marker)
    lines = (
        " ".join(f"{marker.x},{marker.y}" for marker in markers) for markers in groups.values()
    )
    return replace(panel, own_fronts=tuple(lines))


def tip(point: Point) -> str:
    """The lines that appear beside a marker: the row, and where its numbers come from."""
    gqi = "undefined (1 kWh or less)" if point.gqi is None else f"{point.gqi:.3f}"
    lines = [
        point.model + (" (small: scaled-down study)" if point.is_small else ""),
        f"{point.kind}: {point.train_kwh:,.6g} kWh, {point.accuracy_pct:.4g} % top-1, GQI {gqi}",
        f"training: {point.family}",
        *(["on the Pareto front of its set-up"] if point.on_front else []),
        *([f"hardware: {point.hardware}"] if point.hardware else []),
        f"source: {point.source or 'not given'}",
    ]
    return "\n".join(lines)


def _radius(kwh: float) -> float:
    return round(4 + 14 * math.sqrt(kwh / 33337.0), 1)


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.06 * (high - low) or max(0.1 * abs(high), 0.1)
    return low - margin, high + margin


def _steps(low: float, high: float) -> list[float]:
    """Round values between `low` and `high`, about six of them."""
    rough = (high - low) / 6
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(k * step, 10) for k in range(first, last + 1)]
