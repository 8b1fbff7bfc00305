"""Hydra takes plugins from the namespace package `hydra_plugins` only: here they are."""

from launchers.local_launcher import LocalLauncher as _Local
from launchers.search_path import SuiteSearchPath as _SearchPath
from launchers.slurm_launcher import SlurmLauncher as _Slurm


class LocalLauncher(_Local):
    """See `launchers.local_launcher`."""


class SlurmLauncher(_Slurm):
    """See `launchers.slurm_launcher`."""


class SuiteSearchPath(_SearchPath):
    """See `launchers.search_path`."""
