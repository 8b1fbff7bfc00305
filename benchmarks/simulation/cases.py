"""The panel: boards and loads, as real ones behave."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.simulation import loads, power_loads
from benchmarks.simulation.loads import Workload


@dataclass(frozen=True)
class Case:
    """load: makes the workload; gpu: of the simulated board; stalls: makes the seconds from and to
    which the board's counter stands still; call_s, codecarbon_s: how long the GPUs wait for a call
    of NVML, and for CodeCarbon at either end of a task; is_stationary: the load has one mean from
    its first second on, but for a cold start of some steps; is_seen: a window of the least length
    meets what the load does; meter: settings that are not the default."""

    load: Callable[..., Workload] = Workload
    options: dict[str, Any] = field(default_factory=lambda: {"num_cold_steps": 0})
    gpu: dict[str, Any] = field(default_factory=dict)
    stalls: Callable[[random.Random], Sequence[tuple[float, float]]] = lambda _: ()
    num_gpus: int = 1
    call_s: float = 0.001
    codecarbon_s: float = 0.003
    is_stationary: bool = True
    is_seen: bool = True
    meter: dict[str, Any] = field(default_factory=dict)


def _case(load: Callable[..., Workload] = Workload, **changes: Any) -> Case:
    own = {name: changes.pop(name) for name in list(changes) if name in Case.__annotations__}
    return Case(load, {"num_cold_steps": 0} | changes, **own)


def _one_stall(chance: random.Random) -> Sequence[tuple[float, float]]:
    begin_s = chance.uniform(5.0, 45.0)
    return ((begin_s, begin_s + chance.uniform(0.3, 5.0)),)


def _many_stalls(chance: random.Random) -> Sequence[tuple[float, float]]:
    first_s = chance.uniform(0.0, 15.0)
    begins = [first_s + 15.0 * n + chance.uniform(0.0, 5.0) for n in range(20)]
    return tuple((begin_s, begin_s + 0.5) for begin_s in begins)


SIX_SECONDS = {"time_budget_s": 6.0, "block_s": 0.5}  # as `benchmarks.gpu_table3` measures a row
RHYTHM = (1.0, 0.5, 1.0, 0.6, 2.5, 0.9, 0.5, 1.0)
COLD = {"temperature_c": 32.0, "ambient_c": 30.0}
STRONG = {"power_limit_w": 500.0}
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
    "update period that changes from 50 to 250 ms": _case(gpu={"rhythm": RHYTHM}),
    "counter that stands still once, for up to 5 s": _case(stalls=_one_stall),
    "counter that stands still for half a second, every 15 s": _case(stalls=_many_stalls),
    "warming up: +6 %, 100 s": _case(
        power_loads.Exponential,
        gpu=COLD | {"heat_tau_s": 100.0, "c_per_w": 0.2},
        is_stationary=False,
    ),
    "boost from 350 to 300 W, 30 s": _case(
        power_loads.BoostThatEnds,
        gpu=COLD | {"heat_tau_s": 30.0, "c_per_w": 0.2, "power_limit_w": 400.0},
        is_stationary=False,
    ),
    "two power states of 30 s": _case(power_loads.TwoPowerStates, is_stationary=False),
    "two power states of 10 s on average": _case(power_loads.RandomPowerStates),
    "two power states of 5 s on average": _case(power_loads.ShortPowerStates),
    "two power states of 10 s, 5 % up and down": _case(power_loads.SmallPowerStates),
    "two power states of 10 s, 20 % up and down": _case(power_loads.LargePowerStates, gpu=STRONG),
    "three power states of 7 s on average": _case(power_loads.ThreePowerStates, gpu=STRONG),
    "throttled after a minute": _case(
        power_loads.Throttled,
        gpu=COLD | {"heat_tau_s": 40.0, "c_per_w": 0.367},
        is_stationary=False,
    ),
    "throttled once, for five seconds": _case(power_loads.ThrottledOnce, is_stationary=False),
    "cold board, energy does not depend on heat": _case(
        gpu=COLD | {"heat_tau_s": 60.0, "c_per_w": 0.2}
    ),
    "stalls of a second, one in 100 steps": _case(loads.RandomStalls),
    "stalls of half a second, every 50 steps": _case(loads.PeriodicStalls),
    "stalls of half a second, one in 50 steps": _case(loads.HalfSecondStalls),
    "host that takes the CPU away": _case(loads.StolenCpu),
    "log-normal steps": _case(loads.HeavyTails),
    "one step in five three times as long": _case(loads.Bimodal),
    "waves of 7 s": _case(loads.Waves),
    "waves of 3 to 14 s": _case(loads.RandomWaves),
    "long and short steps in turn": _case(loads.LengthsByTurns),
    "long and short steps in turn, 1.5 s each": _case(loads.LengthsByTurns, step_s=1.5),
    "buckets of 50 steps, long and short in turn": _case(loads.LengthsInBuckets),
    "buckets of 50 steps on average, long or short": _case(loads.RandomBuckets),
    "long steps (3 s)": _case(step_s=3.0),
    "short steps (5 ms)": _case(step_s=0.005, noise=0.2),
    "six seconds": _case(meter=SIX_SECONDS),
    "six seconds, cold start of 20 steps": _case(num_cold_steps=20, meter=SIX_SECONDS),
    "six seconds, gaps of 20 ms": _case(codecarbon_s=0.01, meter=SIX_SECONDS),
    "six seconds, eight boards of 3 ms": _case(
        num_gpus=8, call_s=0.003, codecarbon_s=0.024, meter=SIX_SECONDS
    ),
    "six seconds, warming up: +6 %, 100 s": _case(
        power_loads.Exponential,
        gpu=COLD | {"heat_tau_s": 100.0, "c_per_w": 0.2},
        is_stationary=False,
        meter=SIX_SECONDS,
    ),
    "six seconds, boost from 350 to 300 W, 30 s": _case(
        power_loads.BoostThatEnds,
        gpu=COLD | {"heat_tau_s": 30.0, "c_per_w": 0.2, "power_limit_w": 400.0},
        is_stationary=False,
        meter=SIX_SECONDS,
    ),
    "rare: throttled for five seconds, once in 48 s": _case(
        power_loads.ThrottledNowAndThen, is_stationary=False, is_seen=False
    ),
    "rare: two power states of 5 and 15 s on average": _case(
        power_loads.UnequalPowerStates, is_stationary=False, is_seen=False
    ),
    "rare: two power states of 20 s on average": _case(
        power_loads.LongPowerStates, is_stationary=False, is_seen=False
    ),
    "rare: two power states of 30 s on average": _case(
        power_loads.RarePowerStates, is_stationary=False, is_seen=False
    ),
    "power that wanders by 4 %, over 8 s": _case(power_loads.WanderingPower),
    "rare: stalls of two seconds, one in 300 steps": _case(loads.RareStalls, is_seen=False),
}
