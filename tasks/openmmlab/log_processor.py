"""MMEngine's log lines without their reset of the peak of memory: at every line (50 iterations) it
begins a new peak, and a phase's would be that since the last line."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.registry import LOG_PROCESSORS
from mmengine.runner import LogProcessor


@LOG_PROCESSORS.register_module(force=True)
class PeakKeepingLogProcessor(LogProcessor):
    """See above. The peak is that of this rank alone, since the phase began."""

    def _get_max_memory(self, runner: Any) -> int:
        """MiB."""
        device = getattr(runner.model, "output_device", None)
        return int(torch.cuda.max_memory_allocated(device)) // 2**20
