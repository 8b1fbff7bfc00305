"""AMD GPUs of the job. CodeCarbon reads them through AMD SMI; this suite has no reader of its
own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from metering.sensors.nvml import MaskError, entries, is_index

HIP_SYNONYM = "CUDA_VISIBLE_DEVICES"
OPENCL = "GPU_DEVICE_ORDINAL"
UUID = re.compile("GPU-[0-9A-F]{1,16}", re.IGNORECASE)


def job_gpu_indices(environment: Mapping[str, str] | None = None) -> list[int]:
    """AMD SMI's indices of the job's GPUs; empty where AMD SMI or a GPU is missing.

    `ROCR_VISIBLE_DEVICES` hides GPUs from the whole ROCm stack, and `HIP_VISIBLE_DEVICES`
    (or its synonym `CUDA_VISIBLE_DEVICES`) chooses among those left, so masks apply one after
    the other (ROCm documentation, "GPU isolation techniques"). An entry is an index, or a UUID:
    "GPU-" and the first of 16 hexadecimal digits. A list ends at the first index out of range.
    `MaskError`: an entry is neither, or fits no GPU or several.

    The same page lets `GPU_DEVICE_ORDINAL` hide GPUs from HIP, but ROCclr reads it for OpenCL
    alone (ROCm/clr, `Device::init` in rocdevice.cpp), so which GPU would compute is not known:
    `MaskError` where it hides one and there is no other mask, which HIP surely obeys.

    Raises AMD SMI's own error where the library is there but cannot start.
    """
    from codecarbon.core import gpu

    if not gpu.AMDSMI_AVAILABLE:
        return []
    environment = os.environ if environment is None else environment
    library = gpu.gpu_amd.amdsmi
    library.amdsmi_init()
    handles = library.amdsmi_get_processor_handles()
    if not handles:
        return []

    def chosen(indices: Sequence[int], name: str) -> list[int]:
        return _chosen(indices, name, environment[name], lambda i: _uuid(library, handles[i]))

    every = list(range(len(handles)))
    second = "HIP_VISIBLE_DEVICES" if "HIP_VISIBLE_DEVICES" in environment else HIP_SYNONYM
    masks = [name for name in ("ROCR_VISIBLE_DEVICES", second) if name in environment]
    if not masks and environment.get(OPENCL) and chosen(every, OPENCL) != every:
        raise MaskError(
            f"{OPENCL}={environment[OPENCL]} hides GPUs from OpenCL but not from HIP; "
            "set HIP_VISIBLE_DEVICES instead"
        )
    return reduce(chosen, masks, every)


def _chosen(
    indices: Sequence[int], name: str, mask: str, uuid_of: Callable[[int], str]
) -> list[int]:
    """Those of `indices` that the variable `name` chooses, in its order."""
    chosen: list[int] = []
    for entry in entries(mask):
        if UUID.fullmatch(entry):
            beginning = entry[4:].lower()
            matches = [index for index in indices if uuid_of(index).startswith(beginning)]
            if len(matches) != 1:
                raise MaskError(
                    f"{name}={mask}: {entry} fits {len(matches)} of {len(indices)} GPUs"
                )
            (index,) = matches
        elif is_index(entry) and int(entry) < len(indices):
            index = indices[int(entry)]
        elif is_index(entry) or entry in ("", "-1"):
            break  # out of range, and the customary ways to say none
        else:
            raise MaskError(f"{name}={mask}: {entry} is neither an index nor a UUID (GPU-<hex>)")
        if index not in chosen:
            chosen.append(index)
    return chosen


def _uuid(library: Any, handle: Any) -> str:
    """The 16 hexadecimal digits of ROCr's UUID. AMD SMI has them as the ASIC's serial, which
    PyTorch, too, compares with masks; its `amdsmi_get_gpu_device_uuid` is another number."""
    serial = str(library.amdsmi_get_gpu_asic_info(handle).get("asic_serial", ""))
    return serial.lower().removeprefix("0x").zfill(16)
