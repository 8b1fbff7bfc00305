"""`python -m metering.doctor [--json]`: what can be measured on this machine, and what stands in
the way. Exit status 1 when a line is a failure."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from metering import missing_package

try:
    from metering.doctor_checks import Line, clock, codecarbon, cpu, guarded
    from metering.doctor_gpus import NVIDIA_CURE, gpus
    from metering.doctor_limits import power_limits
except ModuleNotFoundError as error:
    missing_package.leave(error, __name__)


def examine(environment: Mapping[str, str] | None = None, home: Path | None = None) -> list[Line]:
    """All findings on this machine. A check that breaks is a failure, and the others go on."""
    settings = os.environ if environment is None else environment
    checks: list[tuple[str, Callable[[], Iterator[Line]], str]] = [
        ("gpu", lambda: gpus(settings), NVIDIA_CURE),
        ("power limit", power_limits, "see nvidia-smi -q -d POWER"),
        ("cpu", cpu, "see whether /proc/cpuinfo and /sys/class/powercap can be read"),
        ("codecarbon", lambda: codecarbon(settings, home), "reinstall codecarbon"),
        ("clock", clock, "check the time service (chrony, systemd-timesyncd)"),
    ]
    return [line for check in checks for line in guarded(*check)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m metering.doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    options = parser.parse_args(arguments)
    lines = examine()
    if options.json:
        print(json.dumps([dataclasses.asdict(line) for line in lines], indent=1))
    else:
        for line in lines:
            print(f"{line.level:8} {line.topic}: {line.finding}")
            if line.cure:
                print(f"{'':8} -> {line.cure}")
    return int(any(line.level == "failure" for line in lines))


if __name__ == "__main__":
    raise SystemExit(main())
