"""Runs of a sweep at the same time, each on devices of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from launchers.local import Machine
from tasks.plan import Plan
from tasks.running.execute import Outcome
from tasks.running.interruption import interruptible


class Answers:
    """What became of each plan, by its folder: an outcome, or what running it raised."""

    def __init__(self) -> None:
        self._by_folder: dict[Any, Outcome | Exception] = {}

    def put(self, plan: Plan, answer: Outcome | Exception) -> None:
        self._by_folder[plan.folder] = answer

    def run(self, plan: Plan, say: Callable[[Any], None] = lambda _: None) -> Outcome:
        """As a runner of the task function: answer with what has been run already."""
        answer = self._by_folder[plan.folder]
        if isinstance(answer, Exception):
            raise answer
        return answer


def run_all(plans: Sequence[Plan], groups: Sequence[Sequence[int]]) -> Answers:
    """Run every plan on the next free group of devices. Ctrl-C and SIGTERM interrupt all that
    run."""
    answers, asked = Answers(), threading.Event()
    free: SimpleQueue[Machine] = SimpleQueue()
    machines = [Machine(devices=group, is_asked_to_end=asked.is_set) for group in groups]
    for machine in machines:
        free.put(machine)

    def run_one(plan: Plan) -> None:
        machine = free.get()
        try:
            if not asked.is_set():
                answers.put(plan, machine.run(plan))
        except Exception as error:
            answers.put(plan, error)
        finally:
            free.put(machine)

    to_run = [plan for plan in plans if not plan.dry_run]
    try:
        # SIGTERM and SIGHUP end the runs as Ctrl-C does: each puts back what it has changed
        with interruptible(), ThreadPoolExecutor(len(groups)) as pool:
            try:
                list(pool.map(run_one, to_run))
            except BaseException:
                asked.set()
                raise
    finally:
        for machine in machines:
            machine.__exit__()
    return answers
