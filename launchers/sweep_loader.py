"""Composing a sweep's configs quickly: one composition per choice of groups, not per run.

Hydra composes each run of a sweep from its YAML files, twice (to validate the sweep, then to launch
it), about 0.1 s each: minutes for 500 runs. Which files are read depends only on the overrides that
name config groups, so those are composed once by Hydra and the plain values (`seed=3`) are applied
to a copy, by Hydra's own function. Each YAML file is read once a sweep, too, which matters where
the groups themselves are swept. The result equals Hydra's; a test compares them.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra._internal.config_repository import ConfigRepository
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf


class RememberingRepository(ConfigRepository):
    """Hydra's repository of config files, which reads each file once."""

    def __init__(self, config_search_path: Any) -> None:
        self._memories: dict[tuple[str, ...], dict[str, bytes]] = {}  # by search path
        super().__init__(config_search_path)

    def initialize_sources(self, config_search_path: Any) -> None:
        super().initialize_sources(config_search_path)
        places = tuple(str(place) for place in config_search_path.get_path())
        self._read = self._memories.setdefault(places, {})

    def __deepcopy__(self, memo: dict[int, Any]) -> RememberingRepository:
        """Hydra copies the repository for every composition; what was read is shared."""
        return copy.copy(self)

    def load_config(self, config_path: str) -> Any:
        if config_path not in self._read:
            self._read[config_path] = pickle.dumps(super().load_config(config_path))
        return pickle.loads(self._read[config_path])  # Hydra changes what it is given


class SweepLoader(ConfigLoaderImpl):
    """Hydra's loader, which remembers what a choice of groups composed to."""

    def __init__(self, config_search_path: Any) -> None:
        super().__init__(config_search_path)
        self.repository = RememberingRepository(config_search_path)
        self._composed: dict[tuple[str, ...], bytes] = {}
        self._parsed: dict[str, Override] = {}

    def load_sweep_config(
        self, master_config: DictConfig, sweep_overrides: list[str]
    ) -> DictConfig:
        """As Hydra's: the config of one run; raises its `HydraException`s."""
        parsed = [self._parse(text) for text in sweep_overrides]
        self.validate_sweep_overrides_legal(parsed, RunMode.RUN, from_shell=True)
        values = [
            override
            for override in parsed
            if not override.is_hydra_override()
            and override.package is None
            and not self.repository.group_exists(override.key_or_group)
        ]
        groups = tuple(override.input_line or "" for override in parsed if override not in values)
        if groups not in self._composed:
            composed = super().load_sweep_config(master_config, list(groups))
            self._composed[groups] = pickle.dumps(composed)
        config: DictConfig = pickle.loads(self._composed[groups])
        self._apply_overrides_to_config(values, config)
        own = [override for override in parsed if not override.is_hydra_override()]
        config.hydra.overrides.task = [override.input_line for override in own]
        naming = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = get_overrides_dirname(
            own, naming.exclude_keys, naming.item_sep, naming.kv_sep
        )
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def _parse(self, text: str) -> Override:
        """The runs of a sweep have most of their words in common."""
        if text not in self._parsed:
            (self._parsed[text],) = OverridesParser.create().parse_overrides([text])
        return self._parsed[text]


def remember(hydra_context: Any) -> None:
    """Let Hydra's sweeper and launcher compose through a `SweepLoader`."""
    search_path = hydra_context.config_loader.get_search_path()
    hydra_context.config_loader = SweepLoader(search_path)
