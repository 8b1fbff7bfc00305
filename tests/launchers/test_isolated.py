"""A run in a process of its own: what it leaves when it dies, is ended, or refused."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from launchers import died, isolated
from launchers.children import Child, Server
from launchers.local import Machine
from metering import stopped
from metering.progress import PhaseBegun, Progress
from metering.record import FILE_NAME
from metering.record_file import read, write
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.running.execute import finished_here

TINY = (
    "model=test_resnet",
    "model.input_size=32",
    "batch_size=8",
    "data=digits",
    "meter=fixed",
    "meter.num_warmup_steps=0",
    "meter.idle_s=0",
    "meter.block_s=0.05",
    "data.num_workers=0",
    "hardware.accelerator=cpu",
    "checkpoint_write=false",
    "phases=train",
)
ENDLESS = (*TINY, "meter.num_steps=1000000")
SHORT = (*TINY, "meter.num_steps=2")

pytestmark = pytest.mark.trains

Compose = Callable[..., Plan]


def signalled_when(
    server: Server, number: signal.Signals, is_time: Callable[[Any], bool]
) -> Callable[[Any], None]:
    """Sends the run's process a signal when it has said something, once."""
    sent: list[int] = []

    def say(news: Any) -> None:
        if is_time(news) and not sent:
            (child,) = server.children
            sent.append(child.pid)
            os.kill(child.pid, number)

    return say


def has_measured_three_blocks(news: Any) -> bool:
    return isinstance(news, Progress) and len(news.so_far().readings) >= 3


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_a_failed_record_with_what_it_had_measured(
    compose: Compose, server: Server, number: signal.Signals
) -> None:
    plan = compose(*ENDLESS)

    outcome = isolated.run(plan, signalled_when(server, number, has_measured_three_blocks), server)

    record = read(plan.folder / FILE_NAME)
    assert record.run_id == outcome.record.run_id
    assert record.status == "failed"
    assert record.failure is not None and record.failure.type == died.DIED
    assert f"killed by signal {int(number)} ({number.name})" in record.failure.message
    assert record.failure.message.endswith("phase: train")
    assert len(record.phases["train"].readings) >= 3
    assert any(part.name == "set-up" for part in record.overheads)
    assert record.host.hostname


def test_compiled_code_that_crashes_is_shown_by_its_python_stack(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)
    say = signalled_when(server, signal.SIGSEGV, has_measured_three_blocks)
    failure = isolated.run(plan, say, server).record.failure
    assert failure is not None
    assert failure.traceback.startswith("Fatal Python error: Segmentation fault")
    assert "tasks/classification/session.py" in failure.traceback


def test_a_run_that_others_ask_to_end_has_failed_and_keeps_its_own_record(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)
    say = signalled_when(server, signal.SIGTERM, has_measured_three_blocks)
    record = isolated.run(plan, say, server).record
    assert record.status == "failed" and record.failure is not None
    assert "SIGTERM" in record.failure.message
    assert record.facts.params_m is not None  # only the run itself knows


def test_a_run_that_dies_before_its_first_word_has_a_record_too(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)
    say = signalled_when(server, signal.SIGKILL, lambda news: True)
    record = isolated.run(plan, say, server).record
    assert record.failure is not None
    assert record.failure.message.endswith("phase: set-up")
    assert record.phases == {}


def test_what_an_earlier_attempt_measured_is_not_taken_for_this_ones(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)
    first = isolated.run(
        plan, signalled_when(server, signal.SIGKILL, has_measured_three_blocks), server
    )
    second = isolated.run(plan, signalled_when(server, signal.SIGKILL, lambda news: True), server)
    assert second.record.phases == {}
    (kept,) = (plan.folder / "attempts").glob("*.json")
    assert read(kept).run_id == first.record.run_id


def test_a_ctrl_c_interrupts_the_run_which_writes_down_what_it_had(
    compose: Compose, server: Server
) -> None:
    plan = compose(*ENDLESS)

    def say(news: Any) -> None:
        if has_measured_three_blocks(news):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        isolated.run(plan, say, server)
    record = read(plan.folder / FILE_NAME)
    assert record.status == "interrupted"
    assert len(record.phases["train"].readings) >= 3
    assert record.facts.params_m is not None
    assert not server.children


def test_a_block_in_which_the_run_was_stopped_is_not_measured(
    compose: Compose, server: Server
) -> None:
    """Stopped three times, as one may fall between two blocks."""
    plan = compose(*ENDLESS, "meter.block_s=0.5")
    stops: list[int] = []

    def say(news: Any) -> None:
        if not has_measured_three_blocks(news):
            return
        if len(stops) == 3:
            raise KeyboardInterrupt
        (child,) = server.children
        time.sleep(0.25)  # about the middle of a block
        for number in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(child.pid, number)
            time.sleep(1)
        stops.append(child.pid)

    with pytest.raises(KeyboardInterrupt):
        isolated.run(plan, say, server)
    readings = read(plan.folder / FILE_NAME).phases["train"].readings
    stopped_in = [one for one in readings if one.reason == stopped.INSIDE]
    assert {one.use for one in stopped_in} == {"dropped"}
    assert max(one.duration_s for one in stopped_in) > 1


def test_a_refusal_comes_out_as_it_would_in_this_process(compose: Compose, server: Server) -> None:
    plan = compose(*SHORT, "hardware.accelerator=cuda")
    with pytest.raises(PlanError, match="CUDA"):
        isolated.run(plan, lambda _: None, server)


def test_every_run_begins_without_what_the_one_before_has_left(
    compose: Compose, server: Server
) -> None:
    """Two processes, from one server, neither of them this one."""
    pids: list[int] = []

    def say(news: Any) -> None:
        if isinstance(news, PhaseBegun):
            pids.extend(child.pid for child in server.children)

    for batch_size in (4, 8):
        outcome = isolated.run(compose(*SHORT, f"batch_size={batch_size}"), say, server)
        assert outcome.record.status == "finished"
    assert len(set(pids)) == 2 and os.getpid() not in pids


def test_what_has_died_is_skipped_until_it_is_asked_for_again(
    compose: Compose, server: Server
) -> None:
    plan = compose(*SHORT)
    dead = isolated.run(plan, signalled_when(server, signal.SIGKILL, lambda news: True), server)
    with Machine() as machine:
        skipped = machine.run(plan)
        assert skipped.reused and skipped.record.run_id == dead.record.run_id
        assert machine.run(compose(*SHORT, "retry_failed=true")).record.status == "finished"
        assert machine.run(plan).record.status == "finished"


def test_a_kill_for_memory_says_memory(
    compose: Compose, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process holds about 0.5 GiB: with 0.6 there are, that is what it was killed for."""
    monkeypatch.setattr(died, "_memory_limit_mib", lambda: 600.0)
    plan = compose(*ENDLESS)
    say = signalled_when(server, signal.SIGKILL, has_measured_three_blocks)
    failure = isolated.run(plan, say, server).record.failure
    assert failure is not None
    assert failure.type == died.OUT_OF_MEMORY
    assert "out of memory: it held 0." in failure.message


def test_an_abort_for_want_of_memory_says_memory(compose: Compose) -> None:
    plan = compose(*SHORT)
    plan.folder.mkdir(parents=True)
    log = plan.folder / isolated.LOG_NAME
    log.write_text("std::bad_alloc of an earlier attempt\n")
    watch = died.Watch(plan)
    child = Child(0, multiprocessing.Pipe()[0])
    child.exit_status = -signal.SIGABRT
    assert watch.failure(child, "train").type == died.DIED
    with log.open("a") as stream:
        stream.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
        stream.write("Fatal Python error: Aborted\n")
    failure = watch.failure(child, "train")
    assert failure.type == died.OUT_OF_MEMORY
    assert "(SIGABRT): out of memory, as what it printed says" in failure.message


def test_a_server_has_one_thread_and_no_device_and_ends_with_its_owner() -> None:
    told: list[str] = []
    server = Server(["classification"], say=told.append)
    child = server.start(_say_hello)
    while not child.pipe.poll():
        server.wait(child.open_pipes, 0.2)
    assert child.pipe.recv() == (1, True, False)
    assert told == []
    server.close()
    deadline_s = time.monotonic() + 20
    while _is_alive(child.pid) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not _is_alive(child.pid), "a run outlived its sweep"


def _say_hello(pipe: Any) -> None:
    import sys

    num_threads = len(os.listdir(f"/proc/{os.getppid()}/task"))  # the server's
    is_ready, has_device = "timm" in sys.modules, sys.modules["torch"].cuda.is_initialized()
    pipe.send((num_threads, is_ready, has_device))
    time.sleep(300)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_is_measured_already_starts_no_process(compose: Compose) -> None:
    plan = compose(*SHORT)
    with Machine() as machine:
        first = machine.run(plan)
        assert machine._servers
    with Machine() as machine:
        again = machine.run(plan)
        assert not machine._servers
    assert again.reused
    assert again.record.run_id == first.record.run_id


def test_what_another_machine_measured_is_measured_here_too(compose: Compose) -> None:
    plan = compose(*SHORT)
    with Machine() as machine:
        first = machine.run(plan).record
        assert first.setup.found is not None
        elsewhere = dataclasses.replace(first.setup.found, cpu_model="another processor")
        setup = dataclasses.replace(first.setup, found=elsewhere)
        write(dataclasses.replace(first, setup=setup), plan.folder)
        assert finished_here(plan) is None
        assert not machine.run(plan).reused
