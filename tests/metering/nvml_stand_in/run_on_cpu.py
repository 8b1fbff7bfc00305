"""`run.py` on a machine whose GPUs are the stand-in's."""

from __future__ import annotations

import sys

from tests.metering.nvml_stand_in import computing_on_cpu

computing_on_cpu.install()

if __name__ == "__main__":
    from run import main

    sys.exit(main())
