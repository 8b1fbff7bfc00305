"""AMD GPUs of the job. CodeCarbon reads them through AMD SMI; this suite has no reader of its
own."""

from __future__ import annotations

import os
from collections.abc import Mapping

MASKS = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")


def job_gpu_indices(environment: Mapping[str, str] | None = None) -> list[int]:
    """AMD SMI's indices of the job's GPUs; empty where AMD SMI or a GPU is missing.

    `ROCR_VISIBLE_DEVICES` hides GPUs from the whole ROCm stack, and `HIP_VISIBLE_DEVICES`
    (or its synonym `CUDA_VISIBLE_DEVICES`) chooses among those left, so masks apply one after
    the other (ROCm documentation, "GPU isolation techniques"). A list ends at the first entry
    that is not an index in range.
    """
    from codecarbon.core import gpu

    if not gpu.AMDSMI_AVAILABLE:
        return []
    environment = os.environ if environment is None else environment
    library = gpu.gpu_amd.amdsmi
    library.amdsmi_init()
    indices = list(range(len(library.amdsmi_get_processor_handles())))
    first, second = (environment.get(name) for name in MASKS)
    if second is None:
        second = environment.get("CUDA_VISIBLE_DEVICES")
    for mask in (first, second):
        if mask is not None:
            indices = _chosen(indices, mask)
    return indices


def _chosen(indices: list[int], mask: str) -> list[int]:
    found: list[int] = []
    for entry in (part.strip() for part in mask.split(",")):
        if not entry.isdigit() or int(entry) >= len(indices):
            break
        if indices[int(entry)] not in found:
            found.append(indices[int(entry)])
    return found
