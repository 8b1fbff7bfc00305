"""NVIDIA GPUs through NVML: which the job was given, and their energy."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SAMPLE_PERIOD_S = 0.02


@dataclass(frozen=True)
class Gpu:
    """A physical GPU of the job. index: NVML's, which is the bus order;
    energy_counter: whether it has a total-energy counter (Volta or newer); mig: whether it is
    split into instances (Multi-Instance GPU), of which the job has one and the readings all."""

    index: int
    uuid: str
    name: str
    energy_counter: bool
    board_power_w: float | None
    mig: bool = False


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
    """
    environment = os.environ if environment is None else environment
    with session() as nvml:
        if nvml is None:
            return ()
        every = [_describe(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
        mask = mask_of(environment, len(every))
        gpus = (every if mask is None else _resolve(nvml, mask[1], every))[:num_gpus]
        if environment.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
            _refuse_two_orders(every, mask, len(gpus))
        return tuple(gpus)


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
            known = all(is_index(one) and int(one) < num_shown for one in entries(ids))
            return (name, ids) if known else None
    return None


def entries(mask: str) -> list[str]:
    return [part.strip() for part in mask.split(",")]


def is_index(entry: str) -> bool:
    # "²".isdigit() is true, and int("²") an error
    return entry.isascii() and entry.isdigit()


def _resolve(nvml: Any, mask: str, every: Sequence[Gpu]) -> list[Gpu]:
    found: dict[int, Gpu] = {}
    for entry in entries(mask):
        gpu = _one(nvml, entry, every)
        if gpu is None:
            break  # CUDA, too, ignores everything from the first unknown entry on
        found.setdefault(gpu.index, gpu)
    return list(found.values())


def _refuse_two_orders(every: Sequence[Gpu], mask: tuple[str, str] | None, num_used: int) -> None:
    models = sorted({gpu.name for gpu in every})
    if mask is not None and mask[0] == "CUDA_VISIBLE_DEVICES":
        said, by_order = "=".join(mask), any(is_index(entry) for entry in entries(mask[1]))
    else:
        said = f"{num_used} of {len(every)} GPUs without CUDA_VISIBLE_DEVICES"
        by_order = num_used < len(every)
    if by_order and len(models) > 1:
        raise MaskError(
            f"{said}: this machine mixes {', '.join(models)}, which CUDA counts by speed and NVML "
            "by bus; set CUDA_DEVICE_ORDER=PCI_BUS_ID, or CUDA_VISIBLE_DEVICES to UUIDs"
        )


def _one(nvml: Any, entry: str, every: Sequence[Gpu]) -> Gpu | None:
    if is_index(entry):
        return every[int(entry)] if int(entry) < len(every) else None
    if entry.startswith("MIG-"):
        return _parent_of(nvml, entry, every)
    matches = [gpu for gpu in every if entry and gpu.uuid.startswith(entry)]
    return matches[0] if len(matches) == 1 else None


def _parent_of(nvml: Any, name: str, every: Sequence[Gpu]) -> Gpu | None:
    for gpu in every:
        if name.startswith(f"MIG-{gpu.uuid}"):  # MIG-GPU-<uuid>/<gi>/<ci>, before driver 470
            return _as_mig(gpu)
        handle = nvml.nvmlDeviceGetHandleByIndex(gpu.index)
        for instance in range(read_or_none(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
            try:
                slice_ = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, instance)
            except nvml.NVMLError:
                continue
            if text(nvml.nvmlDeviceGetUUID(slice_)) == name:
                return _as_mig(gpu)
    return None


def _as_mig(gpu: Gpu) -> Gpu:
    return dataclasses.replace(gpu, mig=True)


def _describe(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    limit_mw = read_or_none(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    mig_now, _ = read_or_none(nvml.nvmlDeviceGetMigMode, handle) or (0, 0)  # now, after a reset
    return Gpu(
        index=index,
        uuid=text(nvml.nvmlDeviceGetUUID(handle)),
        name=text(nvml.nvmlDeviceGetName(handle)),
        energy_counter=read_or_none(nvml.nvmlDeviceGetTotalEnergyConsumption, handle) is not None,
        board_power_w=None if limit_mw is None else limit_mw / 1000,
        mig=bool(mig_now),
    )


def read_or_none(function: Any, *args: Any) -> Any:
    import pynvml

    try:
        return function(*args)
    except pynvml.NVMLError:
        return None


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class NvmlEnergy:
    """Total energy of `gpus` since some instant, joules.

    From NVML's energy counters (millijoules, moving about every 100 ms); a GPU without one has
    its power sampled every 20 ms by a thread and integrated by the trapezoidal rule.
    """

    def __init__(self, gpus: Sequence[Gpu]) -> None:
        import pynvml

        self._nvml = pynvml
        pynvml.nvmlInit()
        self.gpus = tuple(gpus)
        self._handles = {gpu: pynvml.nvmlDeviceGetHandleByIndex(gpu.index) for gpu in gpus}
        self._integrated_j = {gpu: 0.0 for gpu in gpus if not gpu.energy_counter}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        if self._integrated_j:
            self._thread = threading.Thread(target=self._integrate, daemon=True)
            self._thread.start()

    @staticmethod
    def errors() -> type[Exception]:
        """What a reading raises when a GPU does not answer."""
        import pynvml

        found: type[Exception] = pynvml.NVMLError
        return found

    @property
    def how(self) -> str:
        return "power" if self._integrated_j else "counter"

    def read_j(self) -> dict[str, float]:
        """Joules by UUID. Raises `pynvml.NVMLError` when a GPU no longer answers."""
        with self._lock:
            integrated = dict(self._integrated_j)
        return {
            gpu.uuid: integrated[gpu]
            if gpu in integrated
            else self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
            for gpu, handle in self._handles.items()
        }

    def computing_pids(self) -> set[int]:
        """Process ids that compute on these GPUs, ours among them."""
        found: set[int] = set()
        for handle in self._handles.values():
            running = read_or_none(self._nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
            found.update(process.pid for process in running)
        return found

    def _integrate(self) -> None:
        last: dict[Gpu, tuple[float, float]] = {}
        while not self._done.wait(SAMPLE_PERIOD_S):
            for gpu in list(self._integrated_j):
                milliwatts = read_or_none(self._nvml.nvmlDeviceGetPowerUsage, self._handles[gpu])
                now_s = time.perf_counter()
                if milliwatts is None:
                    continue
                power_w = milliwatts / 1000
                if gpu in last:
                    before_s, before_w = last[gpu]
                    with self._lock:
                        self._integrated_j[gpu] += (now_s - before_s) * (power_w + before_w) / 2
                last[gpu] = (now_s, power_w)

    def close(self) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()
        self._nvml.nvmlShutdown()
