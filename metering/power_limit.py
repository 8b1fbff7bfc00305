"""The power limit of the job's boards: set for a run, put back after it, or at the next start.

    parent  journal ── set ── run's process ── put back ── journal's file removed
                               │ ends in any way
    parent dies: the file stays; the next start, or `watt doctor`, finds it

Only the process that outlives the run's changes a limit. NVML lets root do so (NVML API
reference, `nvmlDeviceSetPowerManagementLimit`); a limit is a board's, never a MIG instance's.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from metering import limit_journal
from metering.deferred_signals import deferred_signals
from metering.limit_journal import Entry, JournalError
from metering.sensors.nvml import Gpu, session

TOLERANCE_W = 0.5  # drivers round a limit to their own step


class LimitError(RuntimeError):
    """A power limit that cannot be set on a board; the words name it and the reason."""


@dataclass(frozen=True)
class Range:
    """The limit that is set on a board, and between which limits it may be set; watts."""

    set_w: float
    min_w: float
    max_w: float


@contextmanager
def limited(gpus: Sequence[Gpu], limit_w: float) -> Iterator[None]:
    """Inside, each of `gpus` has the power limit `limit_w`, watts; afterwards its own again.

    Raises `LimitError` before anything is changed, and with all put back where one board of
    several refuses. A board that has the limit already is not touched.
    """
    with session() as nvml:  # open all the while: else a driver may unload, and forget the limit
        ranges = _ranges(nvml, gpus, limit_w)
        to_set = [gpu for gpu in gpus if abs(ranges[gpu].set_w - limit_w) > TOLERANCE_W]
        entries: list[Entry] = []
        try:
            with deferred_signals():
                for gpu in to_set:
                    entries.append(_set(nvml, gpu, limit_w))
            yield
        finally:
            with deferred_signals():
                for entry in entries:
                    _put_back(nvml, entry)


def check(gpus: Sequence[Gpu], limit_w: float) -> None:
    """Raises `LimitError` where `limited` would, as far as that shows without setting a limit:
    whether this user may set it does not."""
    with session() as nvml:
        _ranges(nvml, gpus, limit_w)


def restore_left_behind() -> list[str]:
    """Put back what processes that died have left; a line for each board, none where all is well.
    A limit that was changed again since is left as it is."""
    lines: list[str] = []
    try:
        if all(entry.is_held for entry in limit_journal.entries()):
            return []
        with limit_journal.lock(), session() as nvml, deferred_signals():
            left = [] if nvml is None else [e for e in limit_journal.entries() if not e.is_held]
            for entry in left:
                try:
                    if _restore(nvml, entry):
                        lines.append(_restored(entry))
                except LimitError as error:
                    lines.append(str(error))
    except (JournalError, OSError) as error:  # OSError: of the lock's file
        lines.append(f"power limits: {error}")
    return lines


def _restored(entry: Entry) -> str:
    return (
        f"the power limit of {entry.uuid} was put back to {entry.before_w:g} W: process "
        f"{entry.pid} died and left it at {entry.set_w:g} W"
    )


def by_hand(entry: Entry) -> str:
    """The command that puts a board's limit back."""
    return f"sudo nvidia-smi -i {entry.uuid} --power-limit={entry.before_w:g}"


def limit_now_w(uuid: str) -> float | None:
    """The limit that is set on a board; None where this machine has no such board, or it does not
    tell."""
    with session() as nvml:
        if nvml is None:
            return None
        try:
            return float(nvml.nvmlDeviceGetPowerManagementLimit(_handle(nvml, uuid))) / 1000
        except nvml.NVMLError:
            return None


def _ranges(nvml: Any, gpus: Sequence[Gpu], limit_w: float) -> dict[Gpu, Range]:
    if nvml is None or not gpus:
        raise LimitError("no NVIDIA GPU was given to this run; leave it out")
    ranges = {gpu: _range(nvml, gpu) for gpu in gpus}
    for gpu, known in ranges.items():
        if not known.min_w - TOLERANCE_W <= limit_w <= known.max_w + TOLERANCE_W:
            raise LimitError(f"{gpu.name} ({gpu.uuid}) takes {known.min_w:g} to {known.max_w:g} W")
    return ranges


def _range(nvml: Any, gpu: Gpu) -> Range:
    if gpu.mig:
        raise LimitError(
            f"{gpu.name} ({gpu.uuid}) is split by MIG, and its limit is that of all instances; "
            "leave it out"
        )
    handle = _handle(nvml, gpu.uuid)
    try:
        now = nvml.nvmlDeviceGetPowerManagementLimit(handle)
        least, most = nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle)
    except nvml.NVMLError as error:
        raise LimitError(f"{gpu.name} ({gpu.uuid}) has no limit to set: {error}") from None
    return Range(now / 1000, least / 1000, most / 1000)


def _set(nvml: Any, gpu: Gpu, limit_w: float) -> Entry:
    """Journal first, then the board. Raises `LimitError`, and then nothing is changed."""
    try:
        with limit_journal.lock():
            entry = _claimed(nvml, gpu, limit_w)
            try:
                _write_limit(nvml, gpu.uuid, limit_w)
            except nvml.NVMLError as error:
                limit_journal.remove(gpu.uuid)
                raise LimitError(_refused(nvml, gpu, error)) from None
    except (JournalError, OSError) as error:
        raise LimitError(f"what to put back cannot be written down: {error}") from None
    _held[entry.uuid] = entry
    return entry


def _claimed(nvml: Any, gpu: Gpu, limit_w: float) -> Entry:
    earlier = limit_journal.entry_of(gpu.uuid)
    if earlier is not None:
        if earlier.is_held:
            raise LimitError(
                f"process {earlier.pid} holds {gpu.uuid} at {earlier.set_w:g} W; wait for its end"
            )
        _restore(nvml, earlier)
    before_w = _range(nvml, gpu).set_w
    return limit_journal.write(gpu.uuid, before_w, limit_w)


def _refused(nvml: Any, gpu: Gpu, error: Exception) -> str:
    if isinstance(error, nvml.NVMLError_NoPermission):
        return (
            f"this user may not set the limit of {gpu.name} ({gpu.uuid}): {error}; run as root, "
            "or have it set and leave this key out: the record tells the limit in force"
        )
    return f"{gpu.name} ({gpu.uuid}) does not take it: {error}; leave it out"


_held: dict[str, Entry] = {}
"""What this process has changed and not yet put back, by UUID."""


def _put_back(nvml: Any, entry: Entry) -> None:
    """A board that does not answer stays in the journal, for the next start."""
    try:
        with limit_journal.lock():
            _restore(nvml, entry)
    except (JournalError, LimitError, OSError) as error:
        print(f"warning: {error}", file=sys.stderr, flush=True)
    _held.pop(entry.uuid, None)


@atexit.register
def _put_back_at_exit() -> None:
    for entry in list(_held.values()):
        if entry.pid == os.getpid():
            with session() as nvml, suppress(Exception):
                _put_back(nvml, entry)


def _restore(nvml: Any, entry: Entry) -> bool:
    """Whether the limit was put back; False where there is nothing to put back any more, or the
    board is another machine's that shares the folder. With the lock held. Raises `LimitError`."""
    try:
        now_w = nvml.nvmlDeviceGetPowerManagementLimit(_handle(nvml, entry.uuid)) / 1000
        is_ours = entry.boot_id == limit_journal.boot_id()  # a start of the machine undoes it
        if is_ours and abs(now_w - entry.set_w) <= TOLERANCE_W:
            _write_limit(nvml, entry.uuid, entry.before_w)
        else:
            is_ours = False
    except nvml.NVMLError_NotFound:
        return False
    except nvml.NVMLError as error:
        raise LimitError(
            f"the power limit of {entry.uuid} is not put back to {entry.before_w:g} W: {error}; "
            f"{by_hand(entry)}"
        ) from None
    limit_journal.remove(entry.uuid)
    return bool(is_ours)


def _write_limit(nvml: Any, uuid: str, limit_w: float) -> None:
    nvml.nvmlDeviceSetPowerManagementLimit(_handle(nvml, uuid), round(limit_w * 1000))


def _handle(nvml: Any, uuid: str) -> Any:
    return nvml.nvmlDeviceGetHandleByUUID(uuid)
