"""A program that is run for the user: signals go to it, and its exit status comes back."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from watt_for_what.errors import WattError

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
FORWARDED = (*ENDING, signal.SIGUSR1, signal.SIGUSR2)
_TAKEN = {*FORWARDED, signal.SIGCHLD}
_BY_THE_KERNEL = 0x80  # sigaction(2), SI_KERNEL: the terminal's, which the program gets as well
LOOK_S = 1.0  # how often the program's children are looked up


@contextmanager
def signals_wait() -> Iterator[None]:
    """Inside, these signals wait until `Child.wait` takes them. Threads inherit it: enter before
    a library starts one. What nobody took by the end is dropped: the program has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _TAKEN)
    try:
        yield
    finally:
        while signal.sigtimedwait(_TAKEN - before, 0) is not None:
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class CannotStart(WattError):
    """exit_status: as a shell gives it."""

    def __init__(self, exit_status: int, reason: str) -> None:
        super().__init__(reason)
        self.exit_status = exit_status


class Child:
    """exit_status: as a shell gives it, 128 + N for a program that signal N ended; pids: the
    program's processes seen so far; was_asked_to_end: a signal to end was passed on."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self.exit_status = 0
        self.was_asked_to_end = False
        self.pids: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def cannot_start(self) -> tuple[int, str] | None:
        """The exit status that a shell gives, and why; None where the program is there."""
        name = self.command[0]
        if shutil.which(name) is not None:
            return None
        if os.path.exists(name):
            return 126, f"{name} is no program that may be run; see its permissions"
        return 127, f"command {name!r} is not found; see its spelling and PATH"

    def start(self) -> None:
        """Start the program in this process's group, with signals as they come to any. Raises
        `CannotStart`."""
        try:
            self._process = subprocess.Popen(
                self.command,
                preexec_fn=lambda: signal.pthread_sigmask(  # noqa: PLW1509 - no thread of ours forks
                    signal.SIG_UNBLOCK, _TAKEN
                ),
            )
        except OSError as error:
            status = 127 if error.errno == errno.ENOENT else 126
            raise CannotStart(
                status,
                f"{self.command[0]} cannot be started: {error.strerror}; see its first line, which "
                "names its interpreter, and what machine it is built for",
            ) from None
        self._look()

    def wait(self, limit_s: float) -> bool:
        """Pass on signals until the program has ended or `limit_s` has passed: whether it runs."""
        until_s = time.monotonic() + limit_s
        process = self._process
        assert process is not None, "it was started"
        while process.poll() is None:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return True
            self._look()
            arrived = signal.sigtimedwait(_TAKEN, min(left_s, LOOK_S))
            if arrived is not None and arrived.si_signo != signal.SIGCHLD:
                self._pass_on(arrived)
        code = process.returncode
        self.exit_status = code if code >= 0 else 128 - code
        return False

    def finish(self) -> None:
        """Return when the program has ended, where it was started."""
        while self._process is not None and self.wait(LOOK_S):
            pass

    def _pass_on(self, arrived: signal.struct_siginfo) -> None:
        self.was_asked_to_end |= arrived.si_signo in ENDING
        if arrived.si_code != _BY_THE_KERNEL and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(arrived.si_signo)

    def _look(self) -> None:
        assert self._process is not None, "it was started"
        with suppress(psutil.Error):
            program = psutil.Process(self._process.pid)
            self.pids |= {
                program.pid,
                *(process.pid for process in program.children(recursive=True)),
            }
