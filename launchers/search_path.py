"""Where Hydra looks for configs: the primary config's folder, the suite's own, timm's names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from tasks.config.model_names import CONF_DIR


class SuiteSearchPath(SearchPathPlugin):
    """Adds `conf/`, which a primary config of the user's own (`--config-path`) extends, and
    `timm://`, last: a file of the user's goes before the timm network of the same name."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        ours = f"file://{CONF_DIR}"
        if all(element.path != ours for element in search_path.get_path()):
            search_path.append("watt-for-what", ours)
        folder = config_dir(sys.argv[1:])
        if folder is not None:  # Hydra itself adds it after all plugins
            search_path.append("command-line", f"file://{Path(folder).absolute()}")
        search_path.append("watt-for-what", "timm://")


def config_dir(arguments: Sequence[str]) -> str | None:
    """The value of `--config-dir`."""
    for at, word in enumerate(arguments):
        if word in ("--config-dir", "-cd"):
            return arguments[at + 1] if at + 1 < len(arguments) else None
        if word.startswith("--config-dir="):
            return word.partition("=")[2]
    return None
