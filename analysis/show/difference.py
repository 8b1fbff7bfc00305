"""How much one set-up's energy differs from another's, and whether that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from analysis.estimates.rates import MeasuredRate
from analysis.estimates.ratio import fieller
from analysis.estimates.tiers import sensor_tier
from analysis.records.describe import setup_fields
from analysis.records.sweeps import PAUSE_S
from analysis.show.find import Named

Verdict = Literal["shown", "not shown"]
NO_END = "the interval of the first one's rate reaches down to 0, so that of the change has no end"


@dataclass(frozen=True)
class Difference:
    """Energy a sample of one phase against the baseline's.

    change: new / old - 1; low, high: its 95 % interval, `None` where there is none; why: what the
    interval holds, or why there is none.
    """

    phase: str
    old_kwh: float
    new_kwh: float
    low: float | None
    high: float | None
    why: str

    @property
    def change(self) -> float:
        return self.new_kwh / self.old_kwh - 1

    @property
    def verdict(self) -> Verdict:
        if self.low is None or self.high is None:
            return "not shown"
        return "shown" if self.low > 0 or self.high < 0 else "not shown"

    def rose_by_more_than(self, share: float) -> bool:
        """Whether a rise of more than `share` (0.05 is 5 %) is shown: the whole interval is."""
        return self.low is not None and self.low > share


def differences(old: Named, new: Named) -> Iterator[Difference]:
    """Of each stage and phase that both have."""
    if old.measured is None or new.measured is None:
        return
    same = one_board(old, new)
    for key, before in old.measured.rates.items():
        after = new.measured.rates.get(key)
        if after is None:
            continue
        phase = key[1]
        numbers = before.kwh_per_sample, after.kwh_per_sample
        if before.half_width is None or after.half_width is None:
            reason = before.why_no_interval or after.why_no_interval
            yield Difference(phase, *numbers, None, None, f"a rate has no interval: {reason}")
            continue
        gains = [0.0, 0.0]
        why = f"repeat interval ({_basis(before, after)})"
        if same is False:
            absolute = [_gain(runs, phase) for runs in (old, new)]
            if None in absolute:
                why = "two boards, and the gain error of their sensors is not known"
                if _whose(old) != _whose(new) and not (boards(old) and boards(new)):
                    why = f"records of others that name no board, so {why}"
                yield Difference(phase, *numbers, None, None, why)
                continue
            gains = [gain or 0.0 for gain in absolute]
            why = "absolute interval: two boards, the gain of both was tested"
        elif same is None:
            why += "; the records do not name the board: taken to be one"
        why += time_apart(old, new)
        ends = fieller(
            after.kwh_per_sample,
            _widened(after.kwh_per_sample, after.half_width, gains[1]),
            before.kwh_per_sample,
            _widened(before.kwh_per_sample, before.half_width, gains[0]),
        )
        low, high = (None, None) if ends is None else (ends[0] - 1, ends[1] - 1)
        yield Difference(phase, *numbers, low, high, why if ends else NO_END)


def _basis(before: MeasuredRate, after: MeasuredRate) -> str:
    """Of both intervals: `between 3 runs each`, each run one observation, or `within this run`."""
    held = [
        rate.basis.replace("between runs", f"between {rate.num_records} runs")
        if rate.num_records > 1
        else rate.basis
        for rate in (before, after)
    ]
    each = " each" if held[0] == held[1] and before.num_records > 1 else ""
    return "; ".join(dict.fromkeys(held)) + each


def time_apart(old: Named, new: Named) -> str:
    """What is said where the runs of the two were not measured one after the other: how long the
    machine stood between; or that they are of two sweeps, as their records say."""
    starts, ends = ([runs.frame[name] for runs in (old, new)] for name in ("started_s", "ended_s"))
    pause_s = max(starts[1].min() - ends[0].max(), starts[0].min() - ends[1].max())
    if not pause_s > PAUSE_S:
        return "; measured in two sweeps" if _are_of_two_sweeps(old, new) else ""
    hours = pause_s / 3600
    long = f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
    return f"; measured {long} apart, and what changed on the machine between is not in it"


def _are_of_two_sweeps(old: Named, new: Named) -> bool:
    """Whether each run says of which sweep it is, and none of the one is of one of the other's."""
    before, after = ({r.sweep and r.sweep.id for r in runs.records} for runs in (old, new))
    return None not in before | after and before.isdisjoint(after)


def _widened(value: float, half_width: float, gain: float) -> float:
    return float((half_width**2 + (gain * value) ** 2) ** 0.5)


def _gain(runs: Named, phase: str) -> float | None:
    """The relative absolute error of a phase, where every record of it knows one."""
    known = [record.phases[phase].error_budget for record in runs.records if phase in record.phases]
    values = [None if budget is None else budget.absolute for budget in known]
    if not values or None in values:
        return None
    return max(value for value in values if value is not None)


def one_board(old: Named, new: Named) -> bool | None:
    """Whether both were read on the same boards, or without any on the same machine; `None` where
    the records do not say: they name none, are one person's, and the kind of device and its number
    are alike."""
    if _are_unlike(old, new, ("device", "num_devices", "cpu_model")):
        return False
    before, after = boards(old), boards(new)
    if before and after:
        return before == after
    if _whose(old) != _whose(new):
        return False
    # one machine gives a process more or fewer CPUs; without its name it may as well be another
    return False if _are_unlike(old, new, ("num_cpus",)) else None


def _whose(runs: Named) -> frozenset[str]:
    """Another person's machine is another machine, however alike."""
    return frozenset(runs.frame["collection"].astype(str))


def _are_unlike(old: Named, new: Named, names: tuple[str, ...]) -> bool:
    """Whether both found these on their machines, and found them otherwise."""
    setups = [runs.frame.iloc[0]["setup"].found for runs in (old, new)]
    if None in setups:
        return False
    for name in names:
        before, after = (getattr(setup, name) for setup in setups)
        is_known = name == "device" or None not in (before, after)  # no device is the CPU
        if is_known and before != after:
            return True
    return False


def is_modelled(runs: Named) -> bool:
    """Whether no sensor read the device that computed, in a phase or more."""
    rows = runs.frame[runs.frame["kwh_per_sample"].notna()].to_dict("records")
    return any(sensor_tier(row["setup"], row) == "modelled" for row in rows)


def boards(runs: Named) -> frozenset[str]:
    """UUIDs of the boards that were metered, else the machine's name."""
    gpus = {gpu.uuid for record in runs.records for gpu in record.host.gpus if gpu.uuid}
    hosts = {record.host.hostname for record in runs.records if record.host.hostname}
    return frozenset(gpus or hosts)


def setup_differences(old: Named, new: Named) -> Iterator[str]:
    """Field by field what was asked and found otherwise."""
    before = setup_fields(old.frame.iloc[0]["setup"])
    after = setup_fields(new.frame.iloc[0]["setup"])
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name, "none"), after.get(name, "none")
        if one != other:
            yield f"{name}: {one} -> {other}"
    for label, values in (("code", _versions(old, new)), ("driver", _drivers(old, new))):
        if values[0] != values[1]:
            yield f"{label}: {values[0] or 'none'} -> {values[1] or 'none'}"


def _versions(*runs: Named) -> list[str]:
    return [
        ", ".join(
            sorted({f"{r.code.version} {r.code.git_commit or ''}".strip() for r in named.records})
        )
        for named in runs
    ]


def _drivers(*runs: Named) -> list[str]:
    return [
        ", ".join(sorted({s.driver for r in named.records for s in r.host.gpu_states if s.driver}))
        for named in runs
    ]
