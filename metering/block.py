"""What is read between two instants: a block of steps, and a CodeCarbon task that holds blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metering.board_state import BoardState
from metering.record import Energy, Reading


class MeterError(RuntimeError):
    """The energy of this run cannot be trusted, and so is not reported."""


@dataclass(frozen=True)
class Block:
    """One synchronised block on one node.

    energy: CodeCarbon's share of it, known when its task has ended; own: this suite's reading;
    fault: why not to believe it; others: process ids that computed on the same GPUs and are not
    the run's; gap_s: how long the device had no work before it; watched_j: the boards' integrated
    power, joules, `None` where they do not tell; state: of the boards at its end;
    codecarbon_gpu: how CodeCarbon read the GPUs in this block's task.
    """

    duration_s: float
    energy: Energy
    own: Energy
    fault: str = ""
    others: tuple[int, ...] = ()
    gap_s: float = 0.0
    watched_j: float | None = None
    state: BoardState | None = None
    codecarbon_gpu: str = ""


@dataclass(frozen=True)
class Difference:
    """Energy between two snapshots; `fault` says why it cannot be believed, or is empty;
    watched_j: as in `Block`."""

    energy: Energy
    fault: str = ""
    watched_j: float | None = None


@dataclass(frozen=True)
class Task:
    """One task of CodeCarbon on one node: `energy` is its reading, `own` this suite's of the same
    instants."""

    duration_s: float
    energy: Energy
    own: Energy
    fault: str = ""
    others: tuple[int, ...] = ()
    codecarbon_gpu: str = ""

    def share(self, block: Block, is_whole: bool) -> Block:
        """`block`, which lies in this task, with CodeCarbon's energy: by time, that of the GPUs
        as this suite's reading is shared. is_whole: nothing else lies in the task."""
        time = 1.0 if is_whole else min(1.0, block.duration_s / self.duration_s)
        gpu = time
        if not is_whole and self.own.gpu_kwh and block.own.gpu_kwh is not None:
            gpu = min(1.0, block.own.gpu_kwh / self.own.gpu_kwh)
        energy = Energy(
            gpu_kwh=_times(self.energy.gpu_kwh, gpu),
            cpu_kwh=_times(self.energy.cpu_kwh, time),
            ram_kwh=_times(self.energy.ram_kwh, time),
        )
        return replace(
            block,
            energy=energy,
            fault=block.fault or self.fault,
            others=(*block.others, *self.others),
            codecarbon_gpu=self.codecarbon_gpu,
        )


def _times(kwh: float | None, share: float) -> float | None:
    return None if kwh is None else kwh * share


def preferred(block: Block | Reading | Task) -> Energy:
    """The reading that counts, by component: our own counter where there is one."""
    own, other = block.own, block.energy
    return Energy(
        gpu_kwh=other.gpu_kwh if own.gpu_kwh is None else own.gpu_kwh,
        cpu_kwh=other.cpu_kwh if own.cpu_kwh is None else own.cpu_kwh,
        ram_kwh=other.ram_kwh if own.ram_kwh is None else own.ram_kwh,
    )


def sum_blocks(blocks: Sequence[Block]) -> Block:
    """One block of the whole run from its nodes': energies add, the longest duration counts."""
    watched = _total([block.watched_j for block in blocks])
    return replace(
        blocks[0],
        duration_s=max(block.duration_s for block in blocks),
        energy=_sum([block.energy for block in blocks]),
        own=_sum([block.own for block in blocks]),
        fault=next((block.fault for block in blocks if block.fault), ""),
        others=tuple(pid for block in blocks for pid in block.others),
        gap_s=max(block.gap_s for block in blocks),
        watched_j=watched,
        state=_hottest([block.state for block in blocks if block.state is not None]),
    )


def sum_tasks(tasks: Sequence[Task]) -> Task:
    """The same of CodeCarbon's tasks."""
    hows = [task.codecarbon_gpu for task in tasks]
    return Task(
        duration_s=max(task.duration_s for task in tasks),
        energy=_sum([task.energy for task in tasks]),
        own=_sum([task.own for task in tasks]),
        fault=next((task.fault for task in tasks if task.fault), ""),
        others=tuple(pid for task in tasks for pid in task.others),
        codecarbon_gpu="power" if "power" in hows else hows[0],
    )


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _sum(parts: Sequence[Energy]) -> Energy:
    return Energy(
        gpu_kwh=_total([part.gpu_kwh for part in parts]),
        cpu_kwh=_total([part.cpu_kwh for part in parts]),
        ram_kwh=_total([part.ram_kwh for part in parts]),
    )


def _hottest(states: Sequence[BoardState]) -> BoardState | None:
    """Of the nodes' boards: their power together, the hottest, the slowest."""
    if not states:
        return None
    bits = [state.throttle_reasons for state in states if state.throttle_reasons is not None]
    reasons = 0
    for of_board in bits:
        reasons |= of_board
    celsius = [state.temperature_c for state in states if state.temperature_c is not None]
    clocks = [state.sm_clock_mhz for state in states if state.sm_clock_mhz is not None]
    return BoardState(
        power_w=_total([state.power_w for state in states]),
        temperature_c=max(celsius, default=None),
        sm_clock_mhz=min(clocks, default=None),
        throttle_reasons=reasons if bits else None,
    )
