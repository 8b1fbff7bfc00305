"""Where it runs: this machine, ranks on it, SLURM through Submitit."""

from launchers import local

__all__ = ["local", "register"]


def register() -> None:
    """Make this suite's Hydra plugins known. Cheap: nothing heavy is imported."""
    from hydra.core.plugins import Plugins

    from tasks.model_source import TimmSource

    Plugins.instance().register(TimmSource)
