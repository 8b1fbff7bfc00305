"""What a sweep's file says is refused as the same words on a command line are, and so is a sweep
over nothing, which Hydra would launch as no run at all."""

from __future__ import annotations

from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from omegaconf import DictConfig

from tasks.errors import PlanError
from tasks.terminal.arguments import check_override
from tasks.terminal.unreadable import sweeps_nothing

_PARAMS = "hydra.sweeper.params"


def check(config: DictConfig, config_loader: Any) -> None:
    """config: of the sweep. Raises `PlanError` for a choice in `hydra.sweeper.params` that cannot
    be meant, and for a key that is swept over no value, there or on the command line."""
    sweeper = config.hydra.sweeper
    if sweeper.get("max_batch_size") is not None and sweeper.max_batch_size < 1:
        raise PlanError(
            f"hydra.sweeper.max_batch_size={sweeper.max_batch_size} is no number of runs; leave it "
            "out"
        )
    parser = OverridesParser.create(config_loader=config_loader)
    params = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    overrides: dict[str, tuple[str, Override]] = {}
    for override in parser.parse_overrides(params):
        text = f"{_PARAMS}.{override.input_line}"
        if override.key_or_group == "experiment":
            raise PlanError(f"{text} is an experiment in an experiment; leave it out")
        check_override(text, override, is_multirun=True)
        overrides[override.get_key_element()] = text, override
    for override in parser.parse_overrides(list(config.hydra.overrides.task)):
        overrides[override.get_key_element()] = str(override.input_line), override
    for text, override in overrides.values():
        _require_values(text, override)


def _require_values(text: str, override: Override) -> None:
    if not override.is_sweep_override():
        return
    key, value = override.key_or_group, override.value()
    if not override.is_discrete_sweep():
        raise PlanError(f"{text} has no end of values; write {key}=A,B or {key}=range(START,STOP)")
    if isinstance(value, RangeSweep) and value.step == 0:
        raise PlanError(f"{text} has a step of 0; give another, or write {key}=A,B")
    if next(iter(override.sweep_string_iterator()), None) is None:
        raise PlanError(sweeps_nothing(text, key))
