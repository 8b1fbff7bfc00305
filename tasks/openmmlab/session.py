"""What the sessions of the two OpenMMLab tasks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metering.record import ModelFacts
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome, Window

if TYPE_CHECKING:
    from mmengine.config import Config

    from tasks.openmmlab.metered import MeteredRun

Outcome = Callable[[dict[str, float]], PhaseOutcome]


@dataclass
class RunnerSession:
    """A metered Runner; see `tasks.protocol.Session`. trained, tested: what the last losses, or the
    metrics of the test (empty where the set was not seen whole), mean in a record."""

    run: MeteredRun
    facts: ModelFacts
    trained: Outcome
    tested: Outcome
    notes: tuple[str, ...] = ()
    fingerprint: str | None = None

    @property
    def plan(self) -> Plan:
        return self.run.plan

    def train(self, window: Window) -> PhaseOutcome:
        """MMEngine's training iterations until the window is satisfied."""
        return self.trained(self.run.train(window))

    def test(self, window: Window) -> PhaseOutcome:
        """MMEngine's test iterations: the config's test pipeline, its views and evaluator."""
        return self.tested(self.run.test(window))

    def save(self, path: Path) -> None:
        self.run.save(path)

    def synchronize(self) -> None:
        self.run.synchronize()

    def peak_memory_mib(self) -> float | None:
        return self.run.peak_memory_mib()

    def close(self) -> None:
        self.run.close()


def wants_quality(plan: Plan) -> bool:
    """Whether the whole test set is to be seen, by weights that mean something to its labels:
    those of embedded files mean nothing to weights of another set, and of one class any network is
    right."""
    if plan.data.options["num_classes"] == 1:
        return False
    given = plan.model.checkpoint is not None and plan.data.root is not None
    return given or bool(plan.data.options.get("full_test"))


def repeat_test_set(config: Config, plan: Plan, times: int) -> None:
    """Let few embedded test files stand for a whole set, unless each is to be seen once."""
    if times > 1 and not wants_quality(plan):
        config.test_dataloader.dataset = {
            "type": "RepeatDataset",
            "times": times,
            "dataset": config.test_dataloader.dataset,
        }


def notes(plan: Plan, *, samples: str, quality: str, library: str, shrunk_by: int) -> list[str]:
    """What a reader of the record has to know. samples: what the set holds; quality: the name of
    its accuracy; shrunk_by: what `scale=small` divides sides by."""
    run_notes = []
    if plan.data.root is None:
        run_notes.append(f"embedded {samples} in {plan.data.name}'s layout, not the real set")
    if plan.scale == "small":
        run_notes.append(f"scale=small: crops and {samples} {shrunk_by} times smaller than native")
    if plan.data.options["num_classes"] == 1:
        run_notes.append(f"no {quality}: of one class any network is always right")
    elif plan.model.checkpoint is not None and not wants_quality(plan):
        run_notes.append(
            f"no {quality}: the labels of embedded {samples} mean nothing to these weights"
        )
    elif plan.model.checkpoint is not None:
        run_notes.append(
            f"weights of {plan.model.checkpoint}: {quality} is theirs, loaded again before testing"
        )
    elif not wants_quality(plan):
        run_notes.append(
            f"random weights: no {quality} is reported (energy does not depend on them)"
        )
    if plan.channels_last:
        run_notes.append(f"memory layout as {library} has it: channels_last is not applied")
    return run_notes
