"""How far a GPU's sensors lag: a load is switched on and off, and every path is fitted.

    python -m benchmarks.sensor_response [--out FOLDER] [--quick]

The energy counter, and the integrals of the power fields, rise along one line while the load is
off and along a steeper one while it is on. Where the two lines meet the sensor saw the switch:
that instant, less the true one, is the path's delay, whatever the shape of its response. A counter
that moves every `period_s` is behind by half of that on average; what is left is its lag. Beside
it the time in which a power field rises from 10 to 90 % of its step.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from benchmarks.gpu_load import CudaLoad, GpuLoad
from benchmarks.results import Result, parser, report
from metering.budget import LAG_S
from metering.sensors.board_watch import BoardWatch
from metering.sensors.nvml import Gpu, job_gpus
from metering.sensors.nvml_energy import NvmlEnergy
from metering.sensors.own_readers import counter_period_s

PHASE_S = 2.4
SETTLED = 0.5  # of a phase: from then on power has one level
SAMPLE_S = 0.004


@dataclass(frozen=True)
class Switching:
    """switches: instants at which the load went on or off, by turns, on first; then, by path, the
    instants of its readings and their joules; watts: the same of the power fields alone."""

    switches: Sequence[float]
    joules: dict[str, list[tuple[float, float]]]
    watts: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Response:
    """Medians over the switches, seconds; rise_s: None for a path that is no power field;
    spread_s: half of the range of the delays."""

    path: str
    delay_on_s: float
    delay_off_s: float
    spread_s: float
    rise_s: float | None


def responses(measured: Switching) -> list[Response]:
    """Of every path whose power changes with the load. The first and the last phase are left out:
    they have no neighbour on one side."""
    answers = []
    for path, points in measured.joules.items():
        delays = _delays_s(np.array(points), measured.switches)
        if not delays:
            continue
        on_s, off_s = delays[1::2], delays[::2]  # the first switch between two phases is off
        rises = _rises_s(measured.watts.get(path, []), measured.switches)
        answers.append(
            Response(
                path,
                median(on_s),
                median(off_s),
                (max(on_s) - min(on_s)) / 2,
                median(rises) if rises else None,
            )
        )
    return answers


def _phases(switches: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise(switches))


def _delays_s(points: np.ndarray, switches: Sequence[float]) -> list[float]:
    """points: (n, 2), instants and joules."""
    delays: list[float] = []
    for before, after in pairwise(_phases(switches)):
        lines = [_line(points, *phase) for phase in (before, after)]
        (slope_1, level_1), (slope_2, level_2) = lines
        if abs(slope_2 - slope_1) < 0.05 * max(abs(slope_1), abs(slope_2), 1e-9):
            return []  # no change of power to see
        delays.append((level_1 - level_2) / (slope_2 - slope_1) - after[0])
    return delays


def _line(points: np.ndarray, begin_s: float, end_s: float) -> tuple[float, float]:
    """Slope and value at 0 of the part of a phase in which power has settled."""
    from_s = begin_s + SETTLED * (end_s - begin_s)
    inside = points[(points[:, 0] >= from_s) & (points[:, 0] < end_s)]
    slope, level = np.polyfit(inside[:, 0] - begin_s, inside[:, 1], 1)
    return float(slope), float(level - slope * begin_s)


def _rises_s(points: Sequence[tuple[float, float]], switches: Sequence[float]) -> list[float]:
    """From 10 to 90 % of each step upward. points: instants and watts."""
    if not points:
        return []
    series, rises = np.array(points), list[float]()
    for number, (before, after) in enumerate(pairwise(_phases(switches))):
        if number % 2 == 0:  # from on to off
            continue
        low, high = (_level_w(series, *phase) for phase in (before, after))
        inside = series[(series[:, 0] >= after[0]) & (series[:, 0] < after[1])]
        times = [
            inside[np.argmax(inside[:, 1] >= low + part * (high - low)), 0] for part in (0.1, 0.9)
        ]
        rises.append(float(times[1] - times[0]))
    return rises


def _level_w(series: np.ndarray, begin_s: float, end_s: float) -> float:
    from_s = begin_s + SETTLED * (end_s - begin_s)
    return float(np.median(series[(series[:, 0] >= from_s) & (series[:, 0] < end_s), 1]))


def switched(
    load: GpuLoad, gpu: Gpu, num_cycles: int, phase_s: float = PHASE_S
) -> tuple[Switching, float]:
    """Switch `load` on and off and read every path of `gpu` meanwhile; and how often its counter
    moves, seconds, under load."""
    counter, watch = NvmlEnergy([gpu]), BoardWatch([gpu], background=False)
    switches: list[float] = []
    done = threading.Event()

    def work(until_s: float) -> None:
        while time.perf_counter() < until_s:
            load.step()
            load.wait()

    def cycle() -> None:
        work(time.perf_counter() + 1.0)
        for _ in range(num_cycles):
            switches.append(time.perf_counter())
            work(switches[-1] + phase_s)
            load.rest()
            switches.append(time.perf_counter())
            time.sleep(phase_s)
        done.set()

    thread = threading.Thread(target=cycle)
    thread.start()
    try:
        period_s = (
            counter_period_s(counter.read_j, time.perf_counter, time.sleep)
            if gpu.energy_counter
            else float("nan")
        )
        measured = _sampled(done.is_set, switches, counter, watch)
    finally:
        thread.join()
        counter.close()
        watch.close()
    return measured, period_s


def _sampled(
    is_done: Callable[[], bool], switches: Sequence[float], counter: NvmlEnergy, watch: BoardWatch
) -> Switching:
    joules: dict[str, list[tuple[float, float]]] = {}
    watts: dict[str, list[tuple[float, float]]] = {}
    while not is_done():
        for read_j in counter.read_j().values():
            joules.setdefault("counter", []).append((time.perf_counter(), read_j))
        watch.sample()
        now_s = time.perf_counter()
        (integrals,), (levels,) = watch.read_j(), watch.latest_w()
        for path in levels:
            joules.setdefault(path, []).append((now_s, integrals[path]))
            watts.setdefault(path, []).append((now_s, levels[path]))
        time.sleep(SAMPLE_S)
    return Switching(switches, joules, watts)


def results(measured: Sequence[Response], period_s: float) -> list[Result]:
    """The counter's lag beyond half a period against what a window allows for; of the other paths
    the delay against a second and a half, after which they have settled here."""
    lines = []
    for board in measured:
        rise = "" if board.rise_s is None else f", 10 to 90 % in {1000 * board.rise_s:.0f} ms"
        detail = (
            f"on {1000 * board.delay_on_s:.0f} ms, off {1000 * board.delay_off_s:.0f} ms, "
            f"+- {1000 * board.spread_s:.0f} ms{rise}"
        )
        if board.path == "counter":
            claim = "the energy counter's lag beyond half of its period is allowed for"
            value, goal = 1000 * (board.delay_on_s - period_s / 2), 1000 * LAG_S
            detail += f"; period {1000 * period_s:.0f} ms"
        else:
            claim = f"power field '{board.path}': delay"
            value, goal = 1000 * board.delay_on_s, 1000 * SETTLED * PHASE_S
        lines.append(Result(claim, value, goal, "at most", "ms", detail))
    return lines


def main() -> None:
    options = parser(__doc__).parse_args()
    measured, period_s = switched(CudaLoad(), job_gpus()[0], 3 if options.quick else 5)
    report("sensor_response", results(responses(measured), period_s), options)


if __name__ == "__main__":
    main()
