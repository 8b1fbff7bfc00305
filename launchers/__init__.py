"""Where it runs: this machine, ranks on it, SLURM through Submitit."""

from launchers import local, single

__all__ = ["local", "register", "single"]


def register() -> None:
    """Make this suite's Hydra plugins known. Cheap: nothing heavy is imported."""
    import sys
    from pathlib import Path

    plugins = str(Path(__file__).parent / "plugins")
    if plugins not in sys.path:
        sys.path.append(plugins)

    from hydra.core.plugins import Plugins
    from hydra_plugins.watt_for_what import LocalLauncher, SlurmLauncher, SuiteSearchPath

    from tasks.config import file_source, resolvers
    from tasks.config.model_source import TimmSource

    resolvers.register()

    for plugin in (TimmSource, LocalLauncher, SlurmLauncher, SuiteSearchPath):
        Plugins.instance().register(plugin)
    file_source.register()
