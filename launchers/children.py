"""Processes for runs, as their supervisor sees them: begun by a fork server, watched, ended."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

_PROGRAM = (
    "import sys; sys.path[:] = {path!r}; "
    "from launchers.fork_server import main; main({link}, {tasks!r})"
)


# The fork server is in the terminal's process group: what reaches all of that is for its starter.
_NOT_FOR_THE_SERVER = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class ServerError(RuntimeError):
    """The fork server could not be started, has died, or cannot fork. The next run that is begun
    starts another."""


def killed_by(exit_status: int | None) -> str:
    """How a process ended, in words that follow its name; negative: by that signal."""
    if exit_status is None or exit_status >= 0:
        return f"ended with exit status {exit_status}"
    return f"was killed by signal {-exit_status} ({signal.Signals(-exit_status).name})"


class Child:
    """One process. `exit_status` is None while it runs; negative: the signal that ended it.
    max_rss_mib: the most memory that it held at once, MiB, once it has ended."""

    def __init__(self, pid: int, pipe: Connection) -> None:
        self.pid = pid
        self.pipe = pipe
        self.exit_status: int | None = None
        self.max_rss_mib: float | None = None
        self.is_silent = False  # nothing will come through the pipe any more

    @property
    def open_pipes(self) -> list[Connection]:
        """The pipe, where something may still come through it."""
        return [] if self.is_silent else [self.pipe]

    def send_signal(self, number: signal.Signals) -> None:
        """To the process and to those that it started."""
        if self.exit_status is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number) if number == signal.SIGKILL else os.kill(
                    self.pid, number
                )

    def close(self) -> None:
        """Hear nothing more of it."""
        self.is_silent = True
        self.pipe.close()


class Server:
    """Begins children; started at the first. For one thread of its owner.

    tasks: whose imports it does beforehand, none for children that import for themselves.
    environment: what the children have beside this process's own.
    say: told once, where a fork with the imports is not safe and children import for themselves.
    """

    def __init__(
        self,
        tasks: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tasks = tuple(tasks)
        self._environment = dict(environment or {})
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._is_ready = False
        self._unread = b""
        self._children: dict[int, Child] = {}
        self._ended: dict[int, dict[str, Any]] = {}  # told before their start was

    def start(self, function: Callable[..., None], *arguments: Any) -> Child:
        """A child that calls `function(pipe, *arguments)`, both picklable; the other end of the
        pipe is `Child.pipe`. Raises `ServerError`."""
        link = self._begin()
        ours, theirs = multiprocessing.Pipe()
        try:
            socket.send_fds(link, [b"f"], [theirs.fileno()])
            message = self._expect("pid", "error")
        except OSError:
            raise self._died() from None
        finally:
            theirs.close()
        if "error" in message:
            raise ServerError(f"no process could be started: {message['error']}")
        child = self._children[message["pid"]] = Child(message["pid"], ours)
        if child.pid in self._ended:
            self._note_end(self._ended.pop(child.pid))
        with suppress(OSError):  # it died at once: its exit status tells
            ours.send_bytes(pickle.dumps((function, arguments)))
        return child

    @property
    def children(self) -> tuple[Child, ...]:
        """Those that run, in the order in which they were begun."""
        return tuple(self._children.values())

    def wait(self, pipes: Sequence[Connection], timeout_s: float) -> list[Connection]:
        """Until a pipe can be read, a child has ended, or the time is over: the readable pipes.
        Raises `ServerError` where the server has died."""
        if self._link is None:
            raise ServerError("the fork server has ended")
        ready = wait([*pipes, self._link], timeout_s)
        if self._link in ready:
            self._read()
        return [pipe for pipe in pipes if pipe in ready]

    def close(self) -> None:
        """End the server; a child that still runs is interrupted with it."""
        if self._process is None or self._link is None:
            return
        self._link.close()
        if not self._is_ready:
            self._process.kill()  # in the middle of its imports
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = self._link = None
        self._is_ready = False
        self._children.clear()
        self._ended.clear()

    def _begin(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it died between two runs
        if self._link is None:
            try:
                reason = self._launch()
            except ServerError as error:
                if not self._tasks:
                    raise
                reason = f"importing beforehand does not work here: {error}"
            if reason and self._tasks:
                self._say(f"each run imports for itself: {reason}")
                self.close()
                self._tasks = ()
                self._launch()
        assert self._link is not None
        return self._link

    def _launch(self) -> str:
        """Start the server; answers why a fork of it is not safe."""
        self._link, theirs = socket.socketpair()
        self._unread = b""
        program = _PROGRAM.format(path=sys.path, link=theirs.fileno(), tasks=self._tasks)
        # blocked until it ignores them: a Ctrl-C may come while it begins
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_THE_SERVER)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | self._environment,
            )
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        reason = str(self._expect("ready")["ready"])
        self._is_ready = True
        return reason

    def _expect(self, *kinds: str) -> dict[str, Any]:
        while True:
            for message in self._read():
                if any(kind in message for kind in kinds):
                    return message

    def _read(self) -> list[dict[str, Any]]:
        """What the server has said; notes the children that have ended."""
        assert self._link is not None
        try:
            received = self._link.recv(65536)
        except ConnectionError:
            received = b""
        if not received:
            raise self._died()
        *lines, self._unread = (self._unread + received).split(b"\n")
        messages = [json.loads(line) for line in lines]
        for message in messages:
            if "ended" in message:
                self._note_end(message)
        return messages

    def _note_end(self, message: dict[str, Any]) -> None:
        child = self._children.pop(message["ended"], None)
        if child is None:
            self._ended[message["ended"]] = message
            return
        child.exit_status = message["status"]
        child.max_rss_mib = message["max_rss_mib"]

    def _died(self) -> ServerError:
        process = self._process
        self.close()
        status = None if process is None else process.returncode
        return ServerError(f"the fork server, which begins the runs, {killed_by(status)}")
