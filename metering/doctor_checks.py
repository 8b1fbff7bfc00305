"""The doctor's checks: each yields what it finds, as lines."""

from __future__ import annotations

import configparser
import ctypes
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metering.host import cpu_model
from metering.sensors import rapl


@dataclass(frozen=True)
class Line:
    """One finding. `cure` says what to do about a warning or failure."""

    topic: str
    level: Literal["ok", "warning", "failure"]
    finding: str
    cure: str = ""


def guarded(topic: str, check: Callable[[], Iterator[Line]], cure: str) -> Iterator[Line]:
    """The lines of `check`; an error that ends it is a failure with `cure`."""
    try:
        yield from check()
    except Exception as error:
        yield _broken(topic, error, cure)


def _broken(topic: str, error: Exception, cure: str) -> Line:
    message = " ".join(f"{type(error).__name__}: {error}".split())
    return Line(topic, "failure", f"cannot be examined: {message}", cure)


def cpu() -> Iterator[Line]:
    domains = rapl.readable_domains()
    if domains:
        names = ", ".join(domain.name for domain in domains)
        yield Line("cpu", "ok", f"{cpu_model()}: RAPL readable ({names})")
    elif rapl.present():
        yield Line(
            "cpu",
            "warning",
            f"{cpu_model()}: RAPL is there but not readable; energy is modelled",
            f"sudo chmod -R a+r {rapl.POWERCAP}/intel-rapl:*/energy_uj",
        )
    else:
        yield Line("cpu", "warning", f"{cpu_model()}: no RAPL; energy is modelled", _LABEL)
    if all(domain.name != "dram" for domain in domains):
        yield Line("ram", "warning", "no readable counter; memory energy is modelled", _LABEL)


_LABEL = "nothing to do; records tag the reading as modelled"


def codecarbon(environment: Mapping[str, str], home: Path | None) -> Iterator[Line]:
    """home: None for the user's own. CodeCarbon reads variables in capitals or not, and a file
    in each of two folders (codecarbon 3.3, core/config.py)."""
    stray = sorted(name for name in environment if name.lower().startswith("codecarbon_"))
    faults: list[Line] = []
    places = (
        (lambda: home or Path.home(), "set HOME to a folder that this user may read"),
        (Path.cwd, "go to a folder that is there: without one CodeCarbon cannot start"),
    )
    files: dict[Path, str] = {}
    for place, cure in places:
        try:
            path = place() / ".codecarbon.config"
            if path.is_file():
                files[path] = _config_fault(path)
        except (OSError, RuntimeError) as error:
            faults.append(_broken("codecarbon", error, cure))
    for path, fault in files.items():
        if fault:
            cure = "repair or remove it: other tools' CodeCarbon fails on it; this suite reads none"
            faults.append(Line("codecarbon", "warning", f"{path}: {fault}", cure))
        else:
            stray.append(str(path))
    yield from faults
    if stray:
        yield Line(
            "codecarbon",
            "warning",
            f"configuration that this suite overrides: {', '.join(stray)}",
            "remove it, so that other tools agree with this suite",
        )
    elif not faults:
        yield Line("codecarbon", "ok", "no stray configuration")


def _config_fault(path: Path) -> str:
    """Why CodeCarbon, which reads the file in this way, would stumble over it; empty if not."""
    parser = configparser.ConfigParser()
    try:
        parser.read(path)
        if parser.has_section("codecarbon"):
            dict(parser["codecarbon"])  # a lone % shows only now
    except (configparser.Error, ValueError) as error:
        return " ".join(str(error).split())
    return ""


def clock() -> Iterator[Line]:
    """The wall clock must keep pace with the monotonic one, or timestamps and durations part; and
    it must be synchronised, or those of several nodes do."""
    wall_s, steady_s = time.time(), time.monotonic()
    while time.monotonic() - steady_s < 0.2:
        time.sleep(0.02)
    skew = abs((time.time() - wall_s) / (time.monotonic() - steady_s) - 1)
    if skew > 0.01:
        yield Line(
            "clock",
            "warning",
            f"the wall clock runs {100 * skew:.1f} % off the steady clock",
            "check the time service (chrony, systemd-timesyncd)",
        )
    else:
        yield Line("clock", "ok", "the wall clock keeps pace with the steady clock")
    cure = "start a time service (chrony, systemd-timesyncd) where a run spans several nodes"
    error_s = kernel_clock_error_s()
    if error_s is None:
        finding = "whether the wall clock is synchronised is unknown: the kernel does not tell"
        yield Line("clock", "warning", finding, cure)
    elif error_s >= UNSYNCHRONISED_S:
        yield Line("clock", "warning", "the wall clock is not synchronised with any other", cure)
    else:
        yield Line("clock", "ok", f"the wall clock is synchronised, within {error_s:.3f} s")


UNSYNCHRONISED_S = 16.0  # where the kernel's bound ends; timedatectl's NTPSynchronized, too


class _Timex(ctypes.Structure):
    """The head of the C library's `struct timex`, and more room than the rest of it takes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_long * 60),
    )


def kernel_clock_error_s() -> float | None:
    """The most by which the wall clock may be wrong, seconds; it grows while no time service sets
    it. None where the kernel does not tell (another system, a sandbox). See adjtimex(2)."""
    timex = _Timex(modes=0)  # 0: read, change nothing
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    # a bound of nothing: a sandbox that answers without the kernel
    return None if state < 0 or timex.maxerror <= 0 else timex.maxerror / 1e6
