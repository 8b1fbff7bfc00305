"""A sweep over nothing, which Hydra would launch as no run at all, is refused."""

from __future__ import annotations

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from omegaconf import DictConfig

from tasks.errors import PlanError
from tasks.terminal.arguments import sweeps_nothing

_PARAMS = "hydra.sweeper.params"


def require_runs(config: DictConfig, config_loader: Any) -> None:
    """config: of the sweep. Raises `PlanError` for a key that is swept over no value, in an
    experiment's file or on the command line, which wins over the file."""
    parser = OverridesParser.create(config_loader=config_loader)
    params = [f"{key}={value}" for key, value in (config.hydra.sweeper.get("params") or {}).items()]
    typed = list(config.hydra.overrides.task)
    overrides: dict[str, tuple[Override, str]] = {}
    for origin, texts in ((f"{_PARAMS}.", params), ("", typed)):
        for override in parser.parse_overrides(texts):
            overrides[override.get_key_element()] = override, origin
    for override, origin in overrides.values():
        _check(override, f"{origin}{override.input_line}")


def _check(override: Override, text: str) -> None:
    if not override.is_sweep_override():
        return
    key, value = override.key_or_group, override.value()
    if not override.is_discrete_sweep():
        raise PlanError(f"{text} has no end of values; write {key}=A,B or {key}=range(START,STOP)")
    if isinstance(value, RangeSweep) and value.step == 0:
        raise PlanError(f"{text} has a step of 0; give another, or write {key}=A,B")
    if next(iter(override.sweep_string_iterator()), None) is None:
        raise PlanError(sweeps_nothing(text, key))
