"""A Hydra config source: every name that timm accepts is a `model`, without a YAML file."""

from __future__ import annotations

from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import OmegaConf

from tasks.config.model_names import timm_source, yaml_names

_PREFIX = "model/"


class TimmSource(ConfigSource):
    """`timm://`: serves `model/<timm name>`; it has no recipe, so no estimate follows from it."""

    @staticmethod
    def scheme() -> str:
        return "timm"

    def load_config(self, config_path: str) -> ConfigResult:
        source = timm_source(self._name(config_path))
        assert source is not None
        config = OmegaConf.create(
            {
                "name": source.rstrip("/").rsplit("/", maxsplit=1)[-1].split(":")[-1],
                "task": "classification",
                "source": source,
                "training": "plain",
            }
        )
        return ConfigResult(
            provider=self.provider, path="timm://", config=config, header={"package": None}
        )

    def available(self) -> bool:
        return True

    def is_group(self, config_path: str) -> bool:
        return config_path.rstrip("/") == "model"

    def is_config(self, config_path: str) -> bool:
        if not config_path.startswith(_PREFIX):
            return False
        name = self._name(config_path)
        # YAML files come first; reading timm's sources is left for names that have none
        return name not in yaml_names() and timm_source(name) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return []  # 1,300 names would drown the help

    @staticmethod
    def _name(config_path: str) -> str:
        return config_path.removeprefix(_PREFIX).removesuffix(".yaml")
