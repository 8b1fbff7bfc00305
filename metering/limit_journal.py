"""Boards whose power limit is changed now, one file each: written before the change and removed
after it is undone, so that the next start finds what a process that died has left behind."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from metering import atomic_file


class JournalError(RuntimeError):
    """The folder of the journal, or a file in it, cannot be used; the words name it."""


@dataclass(frozen=True)
class Entry:
    """A changed limit. before_w, set_w: watts; pid, pid_began: of the process that changed it and
    is to undo it, ticks after boot; boot_id: the kernel's, of this start of the machine."""

    uuid: str
    before_w: float
    set_w: float
    pid: int
    pid_began: int | None
    boot_id: str

    @property
    def is_held(self) -> bool:
        """Whether the process that changed it still runs."""
        began = process_began(self.pid)
        return self.boot_id == boot_id() and began is not None and began == self.pid_began


def folder() -> Path:
    """`$XDG_STATE_HOME/watt-for-what/power-limits`. Raises `JournalError`."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        return Path(base).expanduser() / "watt-for-what" / "power-limits"
    except RuntimeError as error:
        raise JournalError(f"{error}; set XDG_STATE_HOME=FOLDER") from None


def path_of(uuid: str) -> Path:
    return folder() / f"{uuid}.json"


def entries() -> list[Entry]:
    """Of all machines that share the folder. Raises `JournalError` for a file that is none."""
    try:
        return [_read(path) for path in sorted(folder().glob("*.json"))]
    except OSError as error:
        raise JournalError(str(error)) from None


def entry_of(uuid: str) -> Entry | None:
    """Raises `JournalError`."""
    path = path_of(uuid)
    return _read(path) if path.exists() else None


def write(uuid: str, before_w: float, set_w: float) -> Entry:
    """This process's. Raises `JournalError`."""
    pid = os.getpid()
    entry = Entry(uuid, before_w, set_w, pid, process_began(pid), boot_id())
    try:
        atomic_file.write(path_of(uuid), json.dumps(dataclasses.asdict(entry), indent=1).encode())
    except OSError as error:
        raise JournalError(
            f"{error}; set XDG_STATE_HOME=FOLDER to one that can be written"
        ) from None
    return entry


def remove(uuid: str) -> None:
    path_of(uuid).unlink(missing_ok=True)


def lock() -> FileLock:
    """Held while limits and entries change together. Raises `JournalError`."""
    try:
        folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(
            f"{error}; set XDG_STATE_HOME=FOLDER to one that can be written"
        ) from None
    return FileLock(folder() / ".lock")


def process_began(pid: int) -> int | None:
    """When a process began, in clock ticks after boot (proc(5), stat, field 22); None where there
    is no such process. With the pid it names one process of this start of the machine."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    after_name = stat.rpartition(")")[2].split()
    state, began = after_name[0], after_name[19]
    return None if state in "ZX" else int(began)  # a zombie undoes nothing any more


def boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _read(path: Path) -> Entry:
    try:
        return Entry(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise JournalError(
            f"{path} cannot be read: {error}; compare nvidia-smi -q -d POWER, then delete it"
        ) from None
