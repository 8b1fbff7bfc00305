"""What `hydra.launcher` may hold, with a type for each key; see `conf/hydra/launcher/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from launchers.cooldown import IDLE
from tasks.config.groups import STRICT
from tasks.config.refusals import validated
from tasks.config.values import Count, Flag, NonNegative, NonNegativeWhole, Positive, Seed, Text


def _cooldown(value: Any) -> float | str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value != IDLE and not (is_number and 0 <= value < float("inf")):
        raise PydanticCustomError(
            "cooldown", "is neither a number of seconds nor idle; give one of them"
        )
    return IDLE if value == IDLE else float(value)


@dataclass(frozen=True, config=STRICT)
class LocalSettings:
    """isolate: a process for every run. devices: groups of GPU indices, one per worker; None runs
    serially. cooldown_s: before each run of a serial sweep, seconds or `idle`."""

    isolate: Flag = True
    devices: tuple[tuple[NonNegativeWhole, ...], ...] | None = None
    order: Literal["given", "shuffled"] = "given"
    order_seed: Seed = 0
    cooldown_s: Annotated[float | str, BeforeValidator(_cooldown)] = 0.0


@dataclass(frozen=True, config=STRICT)
class SlurmSettings:
    """How to submit, the same for every run of a sweep."""

    max_running: Count = 8
    runs_per_job: Count = 1
    wait: Flag = True
    max_requeues: NonNegativeWhole = 3
    signal_delay_s: NonNegativeWhole = 90
    setup: tuple[Text, ...] = ()
    python: Text | None = None
    poll_s: Positive = 5.0
    visibility_s: NonNegative = 60.0
    submit_patience_s: NonNegative = 3600.0


def launcher_settings(given: Mapping[str, Any]) -> LocalSettings | SlurmSettings | None:
    """Of the launcher that `given`, the config's `hydra.launcher`, names; None for another's, as
    Hydra's own. Raises `PlanError`."""
    name = str(given.get("_target_", "")).rpartition(".")[2]
    values = {key: value for key, value in given.items() if key != "_target_"}
    if name == "LocalLauncher":
        return validated(LocalSettings, values, "hydra.launcher")
    if name == "SlurmLauncher":
        return validated(SlurmSettings, values, "hydra.launcher")
    return None
