"""Runs of a sweep on this machine, each with its place in it, and cooled down before as asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from launchers.cooldown import CoolDown
from launchers.local import Machine
from launchers.preview import why_not_run
from launchers.sweep_id import Sweep
from metering.progress import RunBegun
from metering.sensors.temperature import device_temperature_c
from tasks.plan import Plan
from tasks.running.execute import Outcome


class SweepRunner:
    """order_seed: None where the runs are in the order in which they were given."""

    def __init__(
        self,
        machine: Machine,
        sweep: Sweep,
        num_runs: int,
        order_seed: int | None,
        cooldown: CoolDown,
    ) -> None:
        self._machine, self._sweep, self._cooldown = machine, sweep, cooldown
        self._num_runs, self._order_seed = num_runs, order_seed

    def __call__(self, plan: Plan, say: Callable[[Any], None]) -> Outcome:
        """Execute `plan`, which Hydra's job number gives its place."""
        from hydra.core.hydra_config import HydraConfig

        position = int(HydraConfig.get().job.num) + 1
        say(RunBegun(plan.model.name, position, self._num_runs))
        if not why_not_run(plan, is_here=True):
            self._cooldown.wait(say)
        place = self._sweep.place(
            position,
            self._num_runs,
            order="given" if self._order_seed is None else "shuffled",
            order_seed=self._order_seed,
            cooldown=self._cooldown.asked,
            temperature_c=device_temperature_c(),
        )
        return self._machine.run(dataclasses.replace(plan, sweep=place), say)
