"""The process that begins the runs: what ends it, and what becomes of its children then."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from launchers import died, isolated
from launchers.children import Child, Server
from launchers.reports import Reporter
from metering.progress import PhaseBegun, Progress
from metering.record import FILE_NAME
from metering.record_file import read
from tasks.plan import Plan
from tests.launchers.test_isolated import ENDLESS, SHORT, has_measured_three_blocks

Compose = Callable[..., Plan]


@pytest.fixture
def bare() -> Iterator[Server]:
    """Without imports."""
    made = Server()
    yield made
    made.close()


def popen_of(server: Server) -> subprocess.Popen[bytes]:
    assert server._process is not None
    return server._process


def process_of(server: Server) -> psutil.Process:
    return psutil.Process(popen_of(server).pid)


def say_hello(pipe: Any) -> None:
    pipe.send("hello")
    time.sleep(60)


def first_word(server: Server, child: Child) -> Any:
    while not child.pipe.poll():
        server.wait(child.open_pipes, 0.2)
    return child.pipe.recv()


def test_what_a_terminal_sends_to_all_its_processes_is_not_for_the_server(bare: Server) -> None:
    first = bare.start(say_hello)
    assert first_word(bare, first) == "hello"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process_of(bare).send_signal(number)
    assert first_word(bare, bare.start(say_hello)) == "hello"
    assert first.exit_status is None


def test_a_child_takes_the_signals_that_its_server_ignores(bare: Server) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        child = bare.start(say_hello)
        first_word(bare, child)
        child.send_signal(number)
        while child.exit_status is None:
            bare.wait(child.open_pipes, 0.2)
        assert child.exit_status == -number


def test_a_server_that_dies_between_two_runs_is_started_again(bare: Server) -> None:
    bare.start(say_hello)
    process_of(bare).kill()
    popen_of(bare).wait()
    assert first_word(bare, bare.start(say_hello)) == "hello"


def test_a_ctrl_c_does_not_wait_for_the_imports() -> None:
    server = Server(["classification"])
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(server, "_expect", lambda *_: signal.raise_signal(signal.SIGINT))
        server.start(say_hello)
    process = popen_of(server)
    server.close()
    assert process.returncode == -signal.SIGKILL, "it was waited for"


def test_a_child_that_dies_before_its_start_is_read_has_ended(
    bare: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.start(say_hello)
    known = {one.pid for one in process_of(bare).children()}
    reads = bare._read

    def read_late() -> Any:
        while not (new := [one for one in process_of(bare).children() if one.pid not in known]):
            time.sleep(0.005)
        for one in new:
            one.kill()
        while any(one.is_running() for one in new):
            time.sleep(0.005)
        return reads()

    monkeypatch.setattr(bare, "_read", read_late)
    child = bare.start(say_hello)
    monkeypatch.undo()
    deadline_s = time.monotonic() + 30
    while child.exit_status is None and time.monotonic() < deadline_s:
        bare.wait(child.open_pipes, 0.2)
    assert child.exit_status == -signal.SIGKILL


def test_imports_that_end_the_server_are_left_to_the_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("import os\nos.abort()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told: list[str] = []
    server = Server(["classification"], say=told.append)
    try:
        assert first_word(server, server.start(say_hello)) == "hello"
    finally:
        server.close()
    (line,) = told
    assert line.startswith("each run imports for itself") and "(SIGABRT)" in line


@pytest.mark.trains
def test_a_run_whose_server_is_killed_has_failed_and_the_next_one_runs(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)

    def say(news: Any) -> None:
        if has_measured_three_blocks(news) and server._process is not None:
            process_of(server).kill()

    outcome = isolated.run(plan, say, server)

    record = read(plan.folder / FILE_NAME)
    assert outcome.record.run_id == record.run_id
    assert record.status == "failed" and record.failure is not None
    assert record.failure.type == died.WITHOUT_SERVER
    assert "fork server" in record.failure.message and "(SIGKILL)" in record.failure.message
    assert len(record.phases["train"].readings) >= 3
    assert record.facts.params_m is not None  # it wrote down itself what it had
    assert died.earlier(plan) is None  # the same command tries it again
    assert isolated.run(compose(*SHORT), lambda _: None, server).record.status == "finished"


@pytest.mark.parametrize("news", [PhaseBegun("resnet18", "train"), "building resnet18"])
def test_a_run_whose_sweep_was_killed_is_interrupted_at_its_next_word(news: Any) -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    with pytest.raises(KeyboardInterrupt, match="the sweep was killed"):
        Reporter(ours)(news)


@pytest.mark.trains
def test_a_closed_terminal_interrupts_the_run_as_ctrl_c_does(
    compose: Compose, server: Server
) -> None:
    """All of its processes get the signal: this one, and the server."""
    plan = compose(*ENDLESS)

    def say(news: Any) -> None:
        if isinstance(news, Progress) and has_measured_three_blocks(news):
            process_of(server).send_signal(signal.SIGHUP)
            raise KeyboardInterrupt("SIGHUP")

    with pytest.raises(KeyboardInterrupt):
        isolated.run(plan, say, server)
    record = read(plan.folder / FILE_NAME)
    assert record.status == "interrupted"
    assert record.facts.params_m is not None


@pytest.mark.trains
def test_however_often_ctrl_c_is_pressed_the_record_is_written(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)
    presses: list[int] = []

    def say(news: Any) -> None:
        if has_measured_three_blocks(news):
            raise KeyboardInterrupt

    def press_again(pid: int, number: int) -> None:
        presses.append(number)
        kill(pid, number)
        for _ in range(3):
            kill(os.getpid(), signal.SIGINT)

    kill = os.kill
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "kill", press_again)
        isolated.run(plan, say, server)
    assert presses
    record = read(plan.folder / FILE_NAME)
    assert record.status == "interrupted"
    assert len(record.phases["train"].readings) >= 3
