"""A process that has imported what is heavy, touches no device, and forks a child for every run.

It is started as a fresh interpreter by `launchers.children` and ends with the process that started
it. A child inherits the imports and nothing else: no device, no thread, no run before it.

    server  imports ── ready ──┬─────────────┬──────────── (the link is closed: ends)
    child                      └ run 1 ─ end └ run 2 ─ end

What is said over the link: the server sends one JSON object a line, `{"ready": reason}` (empty, or
why a fork of it is not safe), `{"pid": n}` for a child that was begun, `{"ended": n, "status": s,
"max_rss_mib": m}` for one that ended (a negative status is a signal). The starter sends one byte
with a file descriptor: the child's end of a pipe, from which it reads its function and arguments.
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import gc
import json
import multiprocessing
import os
import pickle
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from launchers import preload

_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the starter decides what they end
_PR_SET_PDEATHSIG = 1  # prctl(2)
OOM_SCORE = 500  # of 1000: where memory ends, the kernel takes the run and not what supervises it


def main(link_fd: int, tasks: Sequence[str]) -> None:
    """Import, then fork on demand until the starter has gone."""
    link = socket.socket(fileno=link_fd)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _IGNORED}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _IGNORED)
    for task in tasks:
        preload.import_task(task)
    _send(link, ready=preload.why_unsafe())
    gc.collect()
    gc.freeze()  # else a child's collector writes to, and so copies, every page
    _Server(link, ignores_hangup=before[signal.SIGHUP] == signal.SIG_IGN).serve()
    os._exit(0)  # at once: a run learns of the sweep's end by this process's


class _Server:
    """ignores_hangup: whether the user asked for that (`nohup`), and so for the children too."""

    def __init__(self, link: socket.socket, ignores_hangup: bool) -> None:
        self._link, self._ignores_hangup = link, ignores_hangup
        self._children: set[int] = set()

    def serve(self) -> None:
        reader, writer = os.pipe()
        for descriptor in (reader, writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            selector.register(self._link, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == reader:
                        with suppress(BlockingIOError):
                            os.read(reader, 4096)
                        self._report_ended()
                    elif not self._fork_as_asked((reader, writer, selector.fileno())):
                        return

    def _fork_as_asked(self, own: Sequence[int]) -> bool:
        """False once the starter has gone. `own`: what the child has to close."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._link, 1, 1)
        except OSError:
            return False
        if not message:
            return False
        server = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            _send(self._link, error=str(error))
        else:
            if child == 0:
                not_its_own = (*own, self._link.fileno())
                _be_child(descriptors[0], server, not_its_own, self._ignores_hangup)
            with suppress(OSError):
                os.setpgid(child, child)
            self._children.add(child)
            _send(self._link, pid=child)
        os.close(descriptors[0])
        return True

    def _report_ended(self) -> None:
        for child in list(self._children):
            pid, status, usage = os.wait4(child, os.WNOHANG)
            if pid == 0:
                continue
            self._children.remove(child)
            with suppress(OSError):  # what it left running, such as a loader's workers
                os.killpg(child, signal.SIGKILL)
            _send(
                self._link,
                ended=child,
                status=os.waitstatus_to_exitcode(status),
                max_rss_mib=usage.ru_maxrss / 2**10,
            )


def _wake(number: int, frame: FrameType | None) -> None:
    """Installed so that the signal reaches the wake-up descriptor."""


def _send(link: socket.socket, **message: Any) -> None:
    with suppress(OSError):  # the starter has gone: the next read says so
        link.sendall(json.dumps(message).encode() + b"\n")


def _reset_signals(ignores_hangup: bool) -> None:
    """As in a process that was begun by its user."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if not ignores_hangup:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _be_child(pipe_fd: int, server: int, not_ours: Sequence[int], ignores_hangup: bool) -> None:
    """Run what the pipe says, and end this process. Never returns."""
    status = 1
    try:
        _reset_signals(ignores_hangup)
        os.setpgid(0, 0)
        _end_with(server)
        for descriptor in not_ours:
            os.close(descriptor)
        preload.restore_environment()
        faulthandler.enable()
        pipe = Connection(pipe_fd)
        function, arguments = _received(pipe)
        function(pipe, *arguments)
        status = 0
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else 1
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(status)


def _received(pipe: Connection) -> tuple[Callable[..., None], tuple[Any, ...]]:
    function, arguments = pickle.loads(pipe.recv_bytes())
    return function, arguments


def _end_with(server: int) -> None:
    """A run whose sweep was killed ends too: it is interrupted, and writes down that it was. The
    kernel's memory killer takes the run before its supervisor. Both on Linux alone."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
    if os.getppid() != server:
        raise SystemExit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")


def _leave(status: int) -> None:
    """Without Python's own end, in which libraries take seconds to unload and may crash."""
    with suppress(BaseException):
        for child in multiprocessing.active_children():  # else each is waited for
            child.kill()
        atexit._run_exitfuncs()
    with suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
