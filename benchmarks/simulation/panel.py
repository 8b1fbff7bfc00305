"""Windows on the panel's boards and loads, and what they say beside the truth."""

from __future__ import annotations

import math
import random
import statistics
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.simulation.cases import CASES, Case
from benchmarks.simulation.meter import J_PER_KWH, simulated, simulated_meter
from benchmarks.simulation.naive import naive_window
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.block import MeterError
from metering.record import PhaseRecord
from metering.settings import MeterSettings

RARELY_STOPPED = 0.95  # of the budget, that the median window lasts
TOLD = ("not steady", "lowered the boards' clocks")  # flags' words
GOAL = 1.5  # times the ideal's half-width, at most
TICK_SIGMAS = math.sqrt(2 / 12)  # of a counter's tick, at both ends of a window


@dataclass(frozen=True)
class Trial:
    """One window. error, half_width: relative to the truth; None: without an interval;
    seen_error: of the true energy over the blocks that counted, which no meter could better;
    flagged: the record says that power was not steady or that heat lowered the clocks, or the
    window is refused; window_s: from its opening to its end; overhead: share of that in which the
    GPUs waited for the meter."""

    error: float
    half_width: float | None
    seen_error: float
    measured_s: float
    window_s: float
    flagged: bool
    overhead: float

    @property
    def held(self) -> bool:
        return self.half_width is not None and abs(self.error) <= self.half_width


def _machine(case: Case, seed: int) -> Machine:
    stalls_s, phase_s = case.stalls(random.Random(seed)), 0.1 * (seed % 7) / 7
    gpus = (
        SimulatedGpu(f"GPU-{n}", phase_s=phase_s, stalls_s=stalls_s, **case.gpu)
        for n in range(case.num_gpus)
    )
    return Machine(*gpus, call_s=case.call_s)


def trial(case: Case, seed: int, settings: MeterSettings | None = None) -> Trial:
    """One window of `case`."""
    settings = settings or MeterSettings(**case.meter)
    machine = _machine(case, seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        simulated(machine, call_s=case.codecarbon_s),
        simulated_meter(machine, Path(folder), settings) as meter,
    ):
        load = case.load(machine, seed, **case.options)
        with meter.window("train", load.batch_size) as window:
            opened_s, idle_s = machine.now_s, machine.idle_s
            window.open()
            while not window.step(load.step()):
                pass
        window_s = machine.now_s - opened_s
        overhead = (machine.idle_s - idle_s) / window_s
    is_refused = False
    try:
        window.result()
    except MeterError:
        is_refused = True
    true_j = load.true_j_per_sample
    compared = _compare(window.so_far(), machine.gpus, opened_s, true_j, window_s, overhead)
    return replace(compared, flagged=compared.flagged or is_refused)


def _compare(
    record: PhaseRecord,
    gpus: Sequence[SimulatedGpu],
    opened_s: float,
    true_j: float,
    window_s: float,
    overhead: float,
) -> Trial:
    interval = record.energy_kwh_per_sample
    assert interval is not None
    kept = [one for one in record.readings if one.use == "measured"]
    begins = [opened_s + one.started_at_s for one in kept]
    ends = [begin_s + one.duration_s for begin_s, one in zip(begins, kept, strict=True)]
    seen_j = sum(
        gpu.joules_at(end_s) - gpu.joules_at(begin_s)
        for gpu in gpus[:1]
        for begin_s, end_s in zip(begins, ends, strict=True)
    )
    half_width = interval.half_width
    whole_j = true_j * len(gpus)
    return Trial(
        error=interval.mean * J_PER_KWH / whole_j - 1,
        half_width=None if half_width is None else half_width * J_PER_KWH / whole_j,
        seen_error=seen_j / sum(one.num_samples for one in kept) / true_j - 1,
        measured_s=sum(one.duration_s for one in kept),
        window_s=window_s,
        flagged=any(word in flag for word in TOLD for flag in record.flags),
        overhead=overhead,
    )


@dataclass(frozen=True)
class Naive:
    """A window of `benchmarks.simulation.naive` on the same trace."""

    error: float
    half_width: float
    window_s: float

    @property
    def held(self) -> bool:
        return abs(self.error) <= self.half_width


def naive(case: Case, seed: int) -> Naive:
    """A window of `case` by the meter that the real one is compared with."""
    machine = _machine(case, seed)
    load = case.load(machine, seed, **case.options)
    opened_s = machine.now_s
    mean_j, half_width_j = naive_window(machine, load, case.codecarbon_s)
    true_j = load.true_j_per_sample * len(machine.gpus)
    return Naive(mean_j / true_j - 1, half_width_j / true_j, machine.now_s - opened_s)


@dataclass(frozen=True)
class Summary:
    """Of the trials of one case; shares are of 1, errors relative.

    held: intervals that hold the truth; told: of those that do not, the share that is flagged
    (None: all hold); flagged: of all; bias: mean error; half_width: median; ideal: half-width of
    an observer who reads the true energy of the same steps and knows its spread, with a counter's
    tick at both ends; held_at_goal: as `held`, of the same intervals narrowed until their median is
    `GOAL` times the ideal's (None: they are no wider); window_s, overhead: medians.
    """

    num_trials: int
    held: float
    told: float | None
    flagged: float
    bias: float
    half_width: float
    ideal: float
    held_at_goal: float | None
    window_s: float
    overhead: float


def summarize(trials: Sequence[Trial]) -> Summary:
    misses = [one for one in trials if not one.held]
    widths = [one.half_width for one in trials if one.half_width is not None]
    noise = statistics.pstdev(one.seen_error for one in trials)
    tick = TICK_SIGMAS * 0.1 / statistics.median(one.measured_s for one in trials)
    half_width, ideal = statistics.median(widths), 1.96 * math.hypot(noise, tick)
    narrower = GOAL * ideal / half_width
    held = sum(abs(one.error) <= narrower * (one.half_width or 0.0) for one in trials)
    return Summary(
        num_trials=len(trials),
        held=1 - len(misses) / len(trials),
        told=sum(one.flagged for one in misses) / len(misses) if misses else None,
        flagged=sum(one.flagged for one in trials) / len(trials),
        bias=statistics.fmean(one.error for one in trials),
        half_width=half_width,
        ideal=ideal,
        held_at_goal=held / len(trials) if narrower < 1 else None,
        window_s=statistics.median(one.window_s for one in trials),
        overhead=statistics.median(one.overhead for one in trials),
    )


def fixed_length(case: Case, trials: Sequence[Trial]) -> MeterSettings | None:
    """Of windows as long as the median of these and never ended by their interval: on the same
    traces they show what it costs to stop by it. None where the rule hardly ended one."""
    settings = MeterSettings(**case.meter)
    window_s = statistics.median(one.window_s for one in trials)
    if window_s > RARELY_STOPPED * settings.time_budget_s:
        return None
    return replace(settings, relative_error=1e-9, time_budget_s=window_s)


def _trial_of(name: str, settings: MeterSettings | None, seed: int) -> Trial:
    """In a thread that is not the main one: no signal is deferred there, which takes time."""
    answers: list[Trial] = []
    thread = threading.Thread(target=lambda: answers.append(trial(CASES[name], seed, settings)))
    thread.start()
    thread.join()
    return answers[0]


def _naive_of(name: str, seed: int) -> Naive:
    return naive(CASES[name], seed)


def trials_of(
    name: str,
    seeds: Sequence[int],
    settings: MeterSettings | None = None,
    each: Callable[..., Any] = map,
) -> list[Trial]:
    """Of one case. each: `map`, or that of a pool of processes."""
    return list(each(partial(_trial_of, name, settings), seeds))


def naive_trials_of(name: str, seeds: Sequence[int], each: Callable[..., Any] = map) -> list[Naive]:
    """The same by the meter that the real one is compared with."""
    return list(each(partial(_naive_of, name), seeds))
