"""What writing one checkpoint costs, measured once: weights and optimizer state, then removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from metering.meter import Meter
from tasks.protocol import Session

FILE_NAME = "checkpoint.tmp"
COPIES = 4
"""Weights and up to two optimizer states, and room to spare, in float32."""


def metered(session: Session, meter: Meter, folder: Path) -> tuple[str, ...]:
    """Into the meter's overheads, as `checkpoint`; a note instead where the disk has no room. On
    rank 0."""
    needed_mib = COPIES * 4 * (session.facts.params_m or 0) * 1e6 / 2**20
    free_mib = shutil.disk_usage(folder).free / 2**20
    if free_mib < needed_mib:
        return (
            f"a checkpoint write was not measured: it may need {needed_mib:.0f} MiB and "
            f"{folder} has {free_mib:.0f}",
        )
    path = folder / FILE_NAME
    try:
        with meter.overhead("checkpoint"):
            session.save(path)
            _settle(path)
    finally:
        path.unlink(missing_ok=True)
    return ()


def _settle(path: Path) -> None:
    """Until the file is on the disk; else the write would be paid for later, elsewhere."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
