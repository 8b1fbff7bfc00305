"""NVIDIA GPUs through NVML: which the job was given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

NVIDIA_VENDOR = "0x10de"
# Grace Hopper and Grace Blackwell: one power supply, and one counter, for GPU and CPU
WHOLE_MODULE = re.compile(r"\bG[HB]\d{2,3}\b|Grace")


@dataclass(frozen=True)
class Gpu:
    """A physical GPU of the job. index: NVML's, which is the bus order;
    energy_counter: whether it has a total-energy counter (Volta or newer); mig: whether it is
    split into instances (Multi-Instance GPU), of which the job has one and the readings all;
    whole_module: whether the counter covers a module of GPU, CPU and their memory."""

    index: int
    uuid: str
    name: str
    energy_counter: bool
    board_power_w: float | None
    mig: bool = False
    whole_module: bool = False


class GpuError(RuntimeError):
    """A GPU of the job that NVML cannot ask."""


class MaskError(RuntimeError):
    """A device mask, or none, that does not tell which GPUs of this machine are meant."""


@contextmanager
def session() -> Iterator[Any]:
    """NVML, initialised; yields None where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def job_gpus(
    environment: Mapping[str, str] | None = None, num_gpus: int | None = None
) -> tuple[Gpu, ...]:
    """The GPUs that the job was given, each once, in the order that the job sees them.

    num_gpus: how many of them are used, the first ones; None: all.

    Read from `CUDA_VISIBLE_DEVICES` (indices, UUIDs or their beginnings, MIG names), as CUDA
    reads it: a list ends at the first unknown entry; an empty one means none. Without it, those
    that SLURM names (see `mask_of`), else all. A GPU that is split by MIG is metered whole, and
    flagged, since no counter is narrower. On a machine that mixes models CUDA counts the fastest
    first and NVML along the bus: `MaskError` where that decides which GPUs are meant, unless
    `CUDA_DEVICE_ORDER=PCI_BUS_ID` (CUDA programming guide, "CUDA environment variables").
    A neighbour that is lost or forbidden to this user (NVML's documentation tells readers to
    expect `NO_PERMISSION`) is passed over; one of the job's own that does not answer is a
    `GpuError` with NVML's words.
    """
    environment = os.environ if environment is None else environment
    with session() as nvml:
        if nvml is None:
            return ()
        every = [_identify(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
        mask = mask_of(environment, len(every))
        chosen = _answering(every) if mask is None else _resolve(nvml, mask[1], every)
        chosen = chosen[:num_gpus]
        if environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
            _refuse_two_orders(every, mask, len(chosen))
        return tuple(_describe(nvml, board) for board in chosen)


def all_gpus() -> tuple[list[Gpu], list[tuple[int, str]]]:
    """Every GPU of this machine that answers; of each other its index and NVML's words."""
    with session() as nvml:
        if nvml is None:
            return [], []
        boards = [_identify(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
        gpus: list[Gpu] = []
        silent: list[tuple[int, str]] = []
        for board in boards:
            try:
                gpus.append(_describe(nvml, board))
            except GpuError:
                silent.append((board.index, board.error or "does not answer"))
        return gpus, silent


def driver_problem() -> str | None:
    """NVML's own words where this machine has an NVIDIA GPU that cannot be used; None where all is
    well, and where there is neither a GPU nor its library."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        return None
    except pynvml.NVMLError_DriverNotLoaded as error:  # also on a login node that has no GPU
        return str(error) if _on_the_bus() else None
    except pynvml.NVMLError as error:
        return str(error)
    pynvml.nvmlShutdown()
    return None


def _on_the_bus(root: Path = Path("/sys/bus/pci/devices")) -> bool:
    for device in root.glob("*"):
        with suppress(OSError):
            vendor, kind = (device / "vendor").read_text(), (device / "class").read_text()
            if vendor.strip() == NVIDIA_VENDOR and kind.startswith("0x03"):
                return True
    return False


def mask_of(environment: Mapping[str, str], num_shown: int) -> tuple[str, str] | None:
    """The variable that says which of the GPUs shown by NVML are the job's, and its value; None
    where all are.

    CUDA reads `CUDA_VISIBLE_DEVICES` alone and without it sees every GPU that the process may
    open (CUDA programming guide, "CUDA environment variables"). SLURM normally sets it (gres.conf,
    `nvidia_gpu_env`). Where it is missing, SLURM's grant is the job's GPUs: the step's before the
    job's, which may be wider. Those ids are global, "not relative to any device cgroup" (sbatch
    and srun manual pages): where one does not exist here, a cgroup hides the other GPUs, and all
    that are shown are the job's. A grant of some of the GPUs is no promise that CUDA, which does
    not know of it, computes on them: that is for the meter to compare, by UUID.
    """
    if (mask := environment.get("CUDA_VISIBLE_DEVICES")) is not None:
        return "CUDA_VISIBLE_DEVICES", mask
    for name in ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS"):
        if ids := environment.get(name):
            known = all(is_index(entry) and int(entry) < num_shown for entry in entries(ids))
            return (name, ids) if known else None
    return None


def entries(mask: str) -> list[str]:
    return [part.strip() for part in mask.split(",")]


def is_index(entry: str) -> bool:
    # "²".isdigit() is true, and int("²") an error
    return entry.isascii() and entry.isdigit()


def _resolve(nvml: Any, mask: str, every: Sequence[_Board]) -> list[_Board]:
    boards: dict[int, _Board] = {}
    for entry in entries(mask):
        gpu = _one(nvml, entry, every)
        if gpu is None:
            break  # CUDA, too, ignores everything from the first unknown entry on
        boards.setdefault(gpu.index, gpu)
    return list(boards.values())


def _refuse_two_orders(
    every: Sequence[_Board], mask: tuple[str, str] | None, num_used: int
) -> None:
    models = sorted({board.name for board in every if board.name})
    if mask is not None and mask[0] == "CUDA_VISIBLE_DEVICES":
        given, by_order = "=".join(mask), any(is_index(entry) for entry in entries(mask[1]))
    else:
        given = f"{num_used} of {len(every)} GPUs without CUDA_VISIBLE_DEVICES"
        by_order = num_used < len(every)
    if by_order and len(models) > 1:
        raise MaskError(
            f"{given}: this machine mixes {', '.join(models)}, which CUDA counts by speed and NVML "
            "by bus; set CUDA_DEVICE_ORDER=PCI_BUS_ID, or CUDA_VISIBLE_DEVICES to UUIDs"
        )


def _one(nvml: Any, entry: str, every: Sequence[_Board]) -> _Board | None:
    if is_index(entry):
        return every[int(entry)] if int(entry) < len(every) else None
    if entry.startswith("MIG-"):
        return _parent_of(nvml, entry, every)
    matches = [board for board in every if entry and (board.uuid or "").startswith(entry)]
    return matches[0] if len(matches) == 1 else None


def _parent_of(nvml: Any, name: str, every: Sequence[_Board]) -> _Board | None:
    """The board of a MIG instance, named whole or by an unambiguous beginning."""
    parents: list[_Board] = []
    for board in every:
        if board.uuid is None:
            continue
        if name.startswith(f"MIG-{board.uuid}"):  # MIG-GPU-<uuid>/<gi>/<ci>, before driver 470
            return replace(board, mig=True)
        handle = nvml.nvmlDeviceGetHandleByIndex(board.index)
        for instance in range(read_or_none(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
            try:
                slice_ = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, instance)
            except nvml.NVMLError:
                continue
            uuid = text(nvml.nvmlDeviceGetUUID(slice_))
            if uuid == name:
                return replace(board, mig=True)
            if uuid.startswith(name) and name != "MIG-":
                parents.append(replace(board, mig=True))
    return parents[0] if len(parents) == 1 else None


@dataclass(frozen=True)
class _Board:
    """A GPU by its place on the bus; `error`: NVML's words where it does not answer."""

    index: int
    uuid: str | None = None
    name: str | None = None
    error: str = ""
    mig: bool = False


def _identify(nvml: Any, index: int) -> _Board:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)
    except nvml.NVMLError as error:
        return _Board(index, error=str(error))
    return _Board(index, text(uuid), text(name))


def _answering(every: Sequence[_Board]) -> list[_Board]:
    """Without a mask CUDA does not count a GPU that is lost; all are named where none answers."""
    return [board for board in every if not board.error] or list(every)


def _describe(nvml: Any, board: _Board) -> Gpu:
    if board.uuid is None or board.name is None:
        raise GpuError(f"GPU {board.index} of this job does not answer: {board.error}")
    handle = nvml.nvmlDeviceGetHandleByIndex(board.index)
    limit_mw = read_or_none(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    mig_now, _ = read_or_none(nvml.nvmlDeviceGetMigMode, handle) or (0, 0)  # now, after a reset
    return Gpu(
        index=board.index,
        uuid=board.uuid,
        name=board.name,
        energy_counter=read_or_none(nvml.nvmlDeviceGetTotalEnergyConsumption, handle) is not None,
        board_power_w=None if limit_mw is None else limit_mw / 1000,
        mig=board.mig or bool(mig_now),
        whole_module=bool(WHOLE_MODULE.search(board.name)),
    )


def read_or_none(function: Any, *args: Any) -> Any:
    import pynvml

    try:
        return function(*args)
    except pynvml.NVMLError:
        return None


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
