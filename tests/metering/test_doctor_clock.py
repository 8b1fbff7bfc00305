"""What the doctor says of the wall clock: its pace, and whether it is synchronised."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest

from metering import doctor_checks


@pytest.mark.parametrize(
    ("rate", "level", "said"), [(1.0, "ok", "keeps pace"), (1.05, "warning", "5.0 % off")]
)
def test_a_wall_clock_that_runs_fast_is_warned_about(monkeypatch, rate, level, said):
    now_s = [0.0]
    simulated = SimpleNamespace(
        monotonic=lambda: now_s[0],
        time=lambda: 1e9 + rate * now_s[0],
        sleep=lambda s: now_s.append(now_s.pop() + s),
    )
    monkeypatch.setattr(doctor_checks, "time", simulated)
    line = next(doctor_checks.clock())
    assert line.level == level
    assert said in line.finding


@pytest.mark.parametrize(
    ("error_s", "level", "said"),
    [
        (0.035, "ok", "synchronised, within 0.035 s"),
        (16.0, "warning", "not synchronised"),
        (None, "warning", "unknown"),
    ],
)
def test_the_doctor_tells_whether_the_wall_clock_is_synchronised(monkeypatch, error_s, level, said):
    monkeypatch.setattr(doctor_checks, "kernel_clock_error_s", lambda: error_s)
    *_, line = doctor_checks.clock()
    assert line.level == level
    assert said in line.finding
    assert bool(line.cure) == (level == "warning")


@pytest.mark.parametrize(
    ("state", "bound_us", "error_s"), [(0, 35_000, 0.035), (-1, 35_000, None), (0, 0, None)]
)
def test_the_kernels_bound_is_read_where_the_c_library_writes_it(
    monkeypatch, state, bound_us, error_s
):
    def adjtimex(timex):
        # after modes, offset and freq, each as wide as a long
        ctypes.cast(timex, ctypes.POINTER(ctypes.c_long))[3] = bound_us
        return state

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(adjtimex=adjtimex))
    assert doctor_checks.kernel_clock_error_s() == error_s


def test_a_system_without_adjtimex_does_not_tell(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert doctor_checks.kernel_clock_error_s() is None
