"""The record of a run whose process died: which signal, in which phase, and whether for memory."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from launchers import failed
from launchers.children import Child, ServerError
from launchers.reports import Reports
from metering.record import FILE_NAME, Failure, Record, Status
from tasks.plan import Plan
from tasks.running.attempts import sweep_drafts
from tasks.running.execute import Outcome

DIED = "ProcessDied"
OUT_OF_MEMORY = "KilledForMemory"
RANK_KILLED = "RankKilled"
WITHOUT_SERVER = "ServerDied"
_WORDS = {
    signal.SIGSEGV: "a segmentation fault in compiled code",
    signal.SIGABRT: "abort() in compiled code",
    signal.SIGBUS: "a bus error in compiled code",
    signal.SIGFPE: "an arithmetic error in compiled code",
    signal.SIGILL: "an instruction that this CPU does not have",
    signal.SIGTERM: "somebody asked this process to end, and not the sweep",
}
_NO_MEMORY = ("std::bad_alloc", "annot allocate memory")  # C++'s and strerror's words
_LOG_CHARS = 6000
_NEARLY_ALL = 0.75  # of the memory that there is: a process that held so much was killed for it
_CGROUPS = Path("/sys/fs/cgroup")
_EVENTS = ("memory.events", "memory/memory.oom_control")  # version 2, version 1
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def earlier(plan: Plan) -> Record | None:
    """The record of an earlier attempt at `plan` on this machine that ended with its process; None
    where there is none. An exception's record does not count: such a run is tried again."""
    record = failed.record_in(plan)
    if record is None or record.failure is None or record.status != "failed":
        return None
    is_death = record.failure.type in (DIED, OUT_OF_MEMORY, RANK_KILLED)
    return record if is_death and record.host.hostname == socket.gethostname() else None


def without_server(error: ServerError, phase: str) -> Failure:
    """Of a run whose process could not be begun, or ended with the fork server. Not its own fault:
    the same command tries it again."""
    return Failure(type=WITHOUT_SERVER, message=f"{error}; phase: {phase}", traceback="")


class Watch:
    """Begun before a run's process: what is compared afterwards."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._num_kills = _num_memory_kills()
        self._before = _bytes(plan.folder / FILE_NAME)
        self._log = plan.folder / "run.log"
        self._log_begins_at = len(_bytes(self._log))

    def leave_record(self, failure: Failure, reports: Reports, status: Status) -> Outcome:
        """Of a run that ended by `failure`, with what it had reported. What the run itself wrote
        before it died is kept, with this end."""
        folder = self._plan.folder
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=5)
        with suppress(Timeout):  # another sweep is at this very run
            lock.acquire()
        try:
            sweep_drafts(folder)
            own = self.own_record()
            if own is not None and own.status == "finished":
                return Outcome(own, folder)  # it died on its way out
            if own is not None:
                return failed.leave_record(self._plan, failure, status)
            draft = failed.Draft(self.started_at, reports.phases, reports.overheads)
            return failed.leave_record(self._plan, failure, status, draft)
        finally:
            lock.release()

    def own_record(self) -> Record | None:
        """What the run itself has written since this watch began."""
        if _bytes(self._plan.folder / FILE_NAME) in (b"", self._before):
            return None
        return failed.record_in(self._plan)

    def failure(self, child: Child, phase: str, rank: int | None = None) -> Failure:
        """How the process ended that left no word of its own."""
        status = child.exit_status
        kind = DIED if rank is None else RANK_KILLED
        if status is None or status >= 0:
            end = f"ended with exit status {status} and left no traceback"
        else:
            number = signal.Signals(-status)
            reason = _WORDS.get(number, "")
            if number == signal.SIGKILL:
                reason = self._memory(child) or "often the kernel's out-of-memory killer"
            elif number == signal.SIGABRT and any(words in self._printed() for words in _NO_MEMORY):
                reason = "out of memory, as what it printed says; use a smaller batch_size"
            kind = OUT_OF_MEMORY if reason.startswith("out of memory") else kind
            end = f"was killed by signal {-status} ({number.name})" + (reason and f": {reason}")
        who = "the run's process" if rank is None else f"rank {rank}"
        return Failure(
            type=kind, message=f"{who} {end}; phase: {phase}", traceback=self._tail(), rank=rank
        )

    def asked_to_end(self, reports: Reports) -> Failure:
        """The process was asked to end by somebody else than the sweep, and wrote down what it
        had measured."""
        by = reports.end.message if reports.end is not None and reports.end.message else "a signal"
        return Failure(
            type=DIED,
            message=f"the run's process was ended by {by}, which did not come from the sweep; "
            f"phase: {reports.phase}",
            traceback=self._tail(),
        )

    def _memory(self, child: Child) -> str:
        """Why this SIGKILL is one for memory; empty where nothing shows it."""
        limit_mib = _memory_limit_mib()
        held_mib = child.max_rss_mib or 0.0
        held = f"it held {held_mib / 1024:.1f} GiB of the {limit_mib / 1024:.1f} GiB that there are"
        if self._num_kills is not None and (_num_memory_kills() or 0) > self._num_kills:
            return f"out of memory, as the kernel counts it; {held}; use a smaller batch_size"
        if held_mib > _NEARLY_ALL * limit_mib:
            return f"out of memory: {held}; use a smaller batch_size"
        return ""

    def _printed(self) -> str:
        return _bytes(self._log)[self._log_begins_at :].decode("utf-8", "replace")

    def _tail(self) -> str:
        """What the run printed last: Python's stack where compiled code crashed."""
        text = self._printed()
        fatal = text.rfind("Fatal Python error")
        if fatal < 0:
            return text[-_LOG_CHARS:]
        return text[fatal:].partition("\nExtension modules:")[0][:_LOG_CHARS]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _num_memory_kills() -> int | None:
    """Processes that the kernel has killed for memory since it started, as it counts them for the
    machine (proc(5), /proc/vmstat) or for this container; None where neither can be read."""
    counts = []
    for path in (Path("/proc/vmstat"), *(_CGROUPS / name for name in _EVENTS)):
        for line in _bytes(path).decode("ascii", "replace").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill" and value.isdigit():
                counts.append(int(value))
    return sum(counts) if counts else None


def _memory_limit_mib() -> float:
    """Of the machine, or of this container where that is less."""
    limits = [float(psutil.virtual_memory().total)]
    for name in _LIMITS:
        text = _bytes(_CGROUPS / name).decode("ascii", "replace").strip()
        if text.isdigit():
            limits.append(float(text))
    return min(limits) / 2**20
