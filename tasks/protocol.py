"""What a task is, for `execute.py`: prepare once, then fill the windows that the meter opens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks.plan import Plan


class Window(Protocol):
    """The window of one phase, opened by `execute.py`; see `metering/window.py`.

    The caller does one step of work and then calls `step`; when `step` answers True the
    window is closed and the caller stops, on every rank at the same step.
    """

    def step(self, num_samples: int, data_wait_s: float = 0.0) -> bool:
        """One step is queued on the device: `num_samples` over all ranks of this node's
        run, after waiting `data_wait_s` for its input. True: enough was measured."""


@dataclass(frozen=True)
class PhaseOutcome:
    """What a phase found out beside energy. `quality` is measured on real predictions
    (`top1_pct`, `miou_pct`, `loss`), empty where it would mean nothing."""

    quality: dict[str, float] = field(default_factory=dict)
    views_per_sample: int = 1
    flags: tuple[str, ...] = ()


class Session(Protocol):
    """A prepared run: model built, data opened, first batch not yet taken.

    fingerprint: of the network as built (`tasks.network_facts.fingerprint`); None where unknown.
    """

    facts: ModelFacts
    notes: tuple[str, ...]
    fingerprint: str | None

    def train(self, window: Window) -> PhaseOutcome:
        """Train until the window is satisfied or the data end."""

    def test(self, window: Window) -> PhaseOutcome:
        """Run the test path until the window is satisfied or the data end."""

    def save(self, path: Path) -> None:
        """Write weights and optimizer state to `path`, as a training run would keep them."""

    def synchronize(self) -> None:
        """Return when the device has finished all queued work."""

    def peak_memory_mib(self) -> float | None:
        """Peak of device memory (of the process's resident memory on a CPU) in this phase, MiB;
        see `tasks.running.device.peak_memory_mib` for what is in it."""

    def close(self) -> None:
        """Free workers, files and device memory. Safe to call twice."""


class Task(Protocol):
    """A module's `prepare`. Heavy imports happen inside it.

    STEP_VERSION: raised with each change of the task's own code that may change what a step costs;
    records of another version are measured again.
    """

    STEP_VERSION: int

    def prepare(self, plan: Plan, ranks: Ranks, say: Callable[[str], None]) -> Session:
        """Build everything that `plan` names. Raises `PlanError` for what the user can correct."""

    def check(self, plan: Plan) -> Iterable[str]:
        """Cheap checks before anything is built; yields one line per problem."""
