"""A sweep on this machine: one run after the other, or side by side on devices of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.utils import JobReturn

from tasks.errors import PlanError

if TYPE_CHECKING:
    from launchers.composition import Run


class LocalLauncher(BasicLauncher):
    """`devices`: groups of GPU indices, one per worker; None runs serially."""

    def __init__(self, devices: Sequence[Sequence[int]] | None = None) -> None:
        super().__init__()
        self.devices = devices

    def setup(self, *, hydra_context: Any, task_function: Any, config: Any) -> None:
        from launchers import sweep_loader

        sweep_loader.remember(hydra_context)
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        if self.devices is not None:
            self._side_by_side(job_overrides, initial_job_idx, disjoint(self.devices))
        return super().launch(job_overrides, initial_job_idx)

    def _side_by_side(
        self, job_overrides: Sequence[Sequence[str]], first: int, groups: list[tuple[int, ...]]
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor
        from queue import SimpleQueue

        from launchers import local, spawn
        from launchers.composition import compose_runs

        free: SimpleQueue[tuple[int, ...]] = SimpleQueue()
        for group in groups:
            free.put(group)

        def run_one(run: Run) -> None:
            if run.plan is None or run.plan.dry_run or run.is_done:
                return
            group = free.get()
            try:
                if run.plan.hardware.devices > len(group):
                    return  # refused below, where the sweep runs it: not enough devices
                visible = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, group))}
                local.deliver(run.plan, spawn.run(run.plan, lambda _: None, visible))
            except PlanError as error:
                run.refusal = str(error)
            finally:
                free.put(group)

        runs = compose_runs(self.hydra_context, self.config, job_overrides, first)
        for run in runs:
            if run.plan is not None:
                fits(run.plan.hardware.devices, run.plan.hardware.accelerator, groups)
        with ThreadPoolExecutor(len(groups)) as pool:
            list(pool.map(run_one, runs))


def disjoint(devices: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The groups, when no device is in two of them. Raises `PlanError`."""
    groups = [tuple(int(index) for index in group) for group in devices]
    flat: list[Any] = [index for group in groups for index in group]
    if not flat or any(not group for group in groups) or len(flat) != len(set(flat)):
        raise PlanError(
            f"hydra.launcher.devices={[list(group) for group in groups]} lets two runs share a "
            "device, which falsifies both readings; give disjoint groups such as [[0],[1]]"
        )
    return groups


def fits(num_devices: int, accelerator: str, groups: list[tuple[int, ...]]) -> None:
    """Raises `PlanError` when a run cannot have devices of its own."""
    if accelerator == "cpu":
        raise PlanError(
            "hardware.accelerator=cpu: runs side by side would share one CPU; "
            "leave hydra.launcher.devices out"
        )
    if num_devices > min(len(group) for group in groups):
        raise PlanError(
            f"hardware.devices={num_devices} does not fit hydra.launcher.devices="
            f"{[list(group) for group in groups]}; make every group that large"
        )
