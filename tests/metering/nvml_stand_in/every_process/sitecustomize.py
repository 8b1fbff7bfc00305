"""Python imports this at the start of every process whose PYTHONPATH names this folder, those that
a launcher starts among them."""

from tests.metering.nvml_stand_in import computing_on_cpu

computing_on_cpu.install()
