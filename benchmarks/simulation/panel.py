"""A panel of loads on simulated GPUs, and what a window says of each beside the truth."""

from __future__ import annotations

import math
import statistics
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.simulation import loads
from benchmarks.simulation.loads import Workload
from benchmarks.simulation.meter import J_PER_KWH, simulated, simulated_meter
from benchmarks.simulation.nvml import Machine, SimulatedGpu
from metering.record import PhaseRecord
from metering.settings import MeterSettings

RARELY_STOPPED = 0.95  # of the budget, that the median window lasts
TICK_SIGMAS = math.sqrt(2 / 12)  # of a counter's tick, at both ends of a window


@dataclass(frozen=True)
class Case:
    """load: makes the workload; gpu: of the simulated board; call_s, codecarbon_s: how long the
    GPUs wait for a call of NVML, and for CodeCarbon at either end of a task; is_stationary: the
    load has one mean from its first second on, but for a cold start of some steps; meter: settings
    that are not the default."""

    load: Callable[..., Workload] = Workload
    options: dict[str, Any] = field(default_factory=lambda: {"num_cold_steps": 0})
    gpu: dict[str, Any] = field(default_factory=dict)
    num_gpus: int = 1
    call_s: float = 0.001
    codecarbon_s: float = 0.003
    is_stationary: bool = True
    meter: dict[str, Any] = field(default_factory=dict)


def _case(load: Callable[..., Workload] = Workload, **changes: Any) -> Case:
    own = {name: changes.pop(name) for name in list(changes) if name in Case.__annotations__}
    return Case(load, {"num_cold_steps": 0} | changes, **own)


SIX_SECONDS = {"time_budget_s": 6.0, "block_s": 0.5}  # as `benchmarks.gpu_table3` measures a row
COLD = {"temperature_c": 32.0, "ambient_c": 30.0}
CASES: dict[str, Case] = {
    "steady": _case(noise=0.01),
    "steady, step noise 5 %": _case(),
    "cold start of 20 steps": _case(num_cold_steps=20),
    "cold start of 60 steps, strong drift": _case(num_cold_steps=60, noise=0.1, correlation=0.9),
    "slow strong drift": _case(num_cold_steps=20, noise=0.1, correlation=0.97),
    "gaps of 3 ms": _case(call_s=0.003, codecarbon_s=0.0),
    "gaps of 20 ms": _case(codecarbon_s=0.01),
    "gaps of 60 ms": _case(codecarbon_s=0.03),
    "counter that lags 60 ms more, gaps of 20 ms": _case(gpu={"lag_s": 0.06}, codecarbon_s=0.01),
    "eight boards, 3 ms a call": _case(num_gpus=8, call_s=0.003, codecarbon_s=0.024),
    "sensor that looks 25 % of the time": _case(gpu={"duty": 0.25}),
    "the same, steps as long as its period": _case(gpu={"duty": 0.25}, step_s=0.1, noise=0.005),
    "counter that moves every 80 to 120 ms": _case(gpu={"jitter_s": 0.02}),
    "warming up: +6 %, 100 s": _case(
        loads.Exponential, gpu=COLD | {"heat_tau_s": 100.0, "c_per_w": 0.2}, is_stationary=False
    ),
    "boost from 350 to 300 W, 30 s": _case(
        loads.BoostThatEnds,
        gpu=COLD | {"heat_tau_s": 30.0, "c_per_w": 0.2, "power_limit_w": 400.0},
        is_stationary=False,
    ),
    "two power states of 30 s": _case(loads.TwoPowerStates, is_stationary=False),
    "throttled after a minute": _case(
        loads.Throttled, gpu=COLD | {"heat_tau_s": 40.0, "c_per_w": 0.367}, is_stationary=False
    ),
    "cold board, energy does not depend on heat": _case(
        gpu=COLD | {"heat_tau_s": 60.0, "c_per_w": 0.2}
    ),
    "stalls of a second, one in 100 steps": _case(loads.RandomStalls),
    "stalls of half a second, every 50 steps": _case(loads.PeriodicStalls),
    "log-normal steps": _case(loads.HeavyTails),
    "one step in five three times as long": _case(loads.Bimodal),
    "waves of 7 s": _case(loads.Waves),
    "long steps (3 s)": _case(step_s=3.0),
    "short steps (5 ms)": _case(step_s=0.005, noise=0.2),
    "six seconds": _case(meter=SIX_SECONDS),
    "six seconds, cold start of 20 steps": _case(num_cold_steps=20, meter=SIX_SECONDS),
    "six seconds, gaps of 20 ms": _case(codecarbon_s=0.01, meter=SIX_SECONDS),
    "six seconds, eight boards of 3 ms": _case(
        num_gpus=8, call_s=0.003, codecarbon_s=0.024, meter=SIX_SECONDS
    ),
    "six seconds, warming up: +6 %, 100 s": _case(
        loads.Exponential,
        gpu=COLD | {"heat_tau_s": 100.0, "c_per_w": 0.2},
        is_stationary=False,
        meter=SIX_SECONDS,
    ),
    "six seconds, boost from 350 to 300 W, 30 s": _case(
        loads.BoostThatEnds,
        gpu=COLD | {"heat_tau_s": 30.0, "c_per_w": 0.2, "power_limit_w": 400.0},
        is_stationary=False,
        meter=SIX_SECONDS,
    ),
}


@dataclass(frozen=True)
class Trial:
    """One window. error, half_width: relative to the truth; None: without an interval;
    seen_error: of the true energy over the blocks that counted, which no meter could better;
    flagged: the record says that power was not steady; window_s: from its opening to its end;
    overhead: share of that in which the GPUs waited for the meter."""

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


def trial(case: Case, seed: int, settings: MeterSettings | None = None) -> Trial:
    """One window of `case`."""
    settings = settings or MeterSettings(**case.meter)
    phase_s = 0.1 * (seed % 7) / 7
    gpus = [SimulatedGpu(f"GPU-{n}", phase_s=phase_s, **case.gpu) for n in range(case.num_gpus)]
    machine = Machine(*gpus, call_s=case.call_s)
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
    told = window.result()
    return _compare(told, gpus, opened_s, load.true_j_per_sample, window_s, overhead)


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
        flagged=any("not steady" in flag for flag in record.flags),
        overhead=overhead,
    )


@dataclass(frozen=True)
class Summary:
    """Of the trials of one case; shares are of 1, errors relative.

    held: intervals that hold the truth; told: of those that do not, the share that is flagged
    (None: all hold); flagged: of all; bias: mean error; half_width: median; ideal: half-width of
    an observer who reads the true energy of the same steps and knows its spread, with a counter's
    tick at both ends; window_s, overhead: medians.
    """

    num_trials: int
    held: float
    told: float | None
    flagged: float
    bias: float
    half_width: float
    ideal: float
    window_s: float
    overhead: float


def summarize(trials: Sequence[Trial]) -> Summary:
    misses = [one for one in trials if not one.held]
    widths = [one.half_width for one in trials if one.half_width is not None]
    noise = statistics.pstdev(one.seen_error for one in trials)
    tick = TICK_SIGMAS * 0.1 / statistics.median(one.measured_s for one in trials)
    return Summary(
        num_trials=len(trials),
        held=1 - len(misses) / len(trials),
        told=sum(one.flagged for one in misses) / len(misses) if misses else None,
        flagged=sum(one.flagged for one in trials) / len(trials),
        bias=statistics.fmean(one.error for one in trials),
        half_width=statistics.median(widths),
        ideal=1.96 * math.hypot(noise, tick),
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


def trials_of(
    name: str,
    seeds: Sequence[int],
    settings: MeterSettings | None = None,
    each: Callable[..., Any] = map,
) -> list[Trial]:
    """Of one case. each: `map`, or that of a pool of processes."""
    return list(each(partial(_trial_of, name, settings), seeds))
