"""The error of a window's energy, term by term, as the record keeps it.

Two intervals and never one: *repeat* is what another run on this board would give; *absolute* is
what a meter at the board's plugs would give, which adds the board's own gain error. The gain is
one unknown number a board, the same in every run on it: ratios of runs on one board leave it out,
and a mean is never shifted by it.
"""

from __future__ import annotations

from pydantic import ConfigDict, FiniteFloat
from pydantic.dataclasses import dataclass

from metering.bounds import NonNegative


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ErrorBudget:
    """Half-widths relative to the energy per sample, at the interval's confidence; `None` where a
    term is not known or does not exist on this machine.

    noise: between blocks, the counter's tick at the ends included; tick: that part of it; drift:
        of power that was not steady, or of heat that cannot be excluded; gap: energy of the idle
        time at the edges of blocks, which is booked into them; lag: what a window that begins on an
        idle board loses to a counter that lags; latency: uncertainty of the instants at which
        counters were read; unseen: of a board that still warms up, in a window too short to see
        that it does.
    repeat: all of these together.
    gain_low, gain_high: range of the gain errors, (reading - true) / true, of the tested boards
        that are closest to this one; an illustration, not a bound.
    absolute: with the gain of this very board and reading; `None`: not known.
    absolute_note: what was tested, and by whom.
    modelled_share: of the energy that is a model's and has no interval at all.
    """

    noise: NonNegative | None = None
    tick: NonNegative | None = None
    drift: NonNegative = 0.0
    gap: NonNegative | None = None
    lag: NonNegative | None = None
    latency: NonNegative | None = None
    unseen: NonNegative = 0.0
    repeat: NonNegative | None = None
    gain_low: FiniteFloat | None = None
    gain_high: FiniteFloat | None = None
    absolute: NonNegative | None = None
    absolute_note: str = ""
    modelled_share: NonNegative = 0.0
