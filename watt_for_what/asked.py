"""What the user of `watt.measure` says of a run, checked, as the asked part of its set-up."""

from __future__ import annotations

import dataclasses
import difflib
import operator
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metering import catalogue
from metering.emissions import countries
from metering.record import ModelFacts, Stage
from metering.settings import MeterSettings
from metering.setup import Asked, DataSetUp, Origin
from watt_for_what.errors import WattError

WHOLE = MeterSettings(
    name="whole", mode="fixed", num_steps=10**15, time_budget_s=1e12, block_s=10.0, idle_s=0.0
)
"""A whole training: every step counts, and nothing but the training ends it."""
_TASK = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Request:
    """The arguments of `watt.measure`, where they are described."""

    name: str
    batch_size: int | None
    recipe: Sequence[Stage | Mapping[str, Any]] = ()
    network: Any = None
    data: str = "unknown"
    num_classes: int | None = None
    input_size: int | Sequence[int] | None = None
    precision: str = "unknown"
    task: str = "own"
    stage: str = "supervised"
    training: Mapping[str, Any] = field(default_factory=dict)
    channels_last: bool = False
    compile: bool = False
    gmacs: bool = False
    whole: bool = False
    training_id: str | None = None
    hardware: str = "local"
    has_nodes_alone: bool = False
    country: str | None = None
    output_dir: Path | str = "runs"
    meter: MeterSettings | None = None

    def checked(self) -> Request:
        """Itself. Raises `WattError`."""
        _require_name("name", self.name)
        _require_name("hardware", self.hardware)
        if self.batch_size is None:
            raise WattError(
                "batch_size is missing: give the samples of one step, over all ranks, "
                "as in watt.measure(name, batch_size=256)"
            )
        whole_number("batch_size", self.batch_size)
        if not isinstance(self.task, str) or not _TASK.fullmatch(self.task):
            raise WattError(
                f"task={self.task!r} is no task's name: lower-case letters, digits and "
                "underscores, as in task='classification' or task='own'"
            )
        if self.training_id is not None and not self.whole:
            raise WattError(
                f"training_id={self.training_id!r} names the parts of a whole training; "
                "add whole=True, or leave it out"
            )
        if self.gmacs and (self.network is None or self.input_size is None):
            raise WattError("gmacs=True needs network= (a torch.nn.Module) and input_size=")
        known = countries()
        if self.country is not None and self.country not in known:
            raise WattError(f"country={self.country!r} is unknown; {_near(self.country, known)}")
        return self

    def settings(self) -> MeterSettings:
        return WHOLE if self.whole and self.meter is None else self.meter or MeterSettings()

    def stages(self) -> tuple[Stage, ...]:
        """The recipe. Raises `WattError`."""
        if isinstance(self.recipe, Mapping | str) or not isinstance(self.recipe, Sequence):
            raise WattError("recipe is no list: recipe=[watt.Stage('train', num_samples=..., ...)]")
        return tuple(_stage(at, given) for at, given in enumerate(self.recipe))

    def asked(self, num_devices: int, num_nodes: int, use_gpu: bool) -> Asked:
        """Raises `WattError`."""
        known = catalogue.data_set(self.data) if isinstance(self.data, str) else None
        origin: Origin = "unknown" if self.data == "unknown" else "own" if known is None else "real"
        settings = self.settings()
        protocol: dict[str, Any] = {"mode": settings.name}
        if settings.mode != "adaptive" and not self.whole:
            protocol |= {"num_steps": settings.num_steps, "num_warmup": settings.num_warmup_steps}
        try:
            return Asked(
                task=self.task,
                model=self.name,
                network=None if self.network is None else _class_name(self.network),
                input_size=_size(self.input_size),
                training=dict(self.training),
                stage=self.stage,
                data=DataSetUp(self.data, origin, num_classes=self.num_classes),
                batch_size=self.batch_size,
                precision=self.precision,
                channels_last=self.channels_last,
                compile=self.compile,
                accelerator="cuda" if use_gpu else "cpu",
                num_devices=num_devices,
                num_nodes=num_nodes,
                protocol=protocol,
                has_nodes_alone=self.has_nodes_alone,
            )
        except ValidationError as error:
            raise WattError(_first_line(error, "watt.measure")) from None

    def config(self) -> dict[str, Any]:
        """What the record keeps of this request beside its set-up: plain JSON."""
        return {
            "meter": dataclasses.asdict(self.settings()),
            "country": self.country,
            "whole": self.whole,
        }

    def facts(self) -> tuple[ModelFacts, str | None]:
        """Parameters and, where asked for, GMACs of the network, and its fingerprint; nothing
        where it is no `torch.nn.Module`."""
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(self.network, torch.nn.Module):
            if self.gmacs:
                raise WattError("gmacs=True needs network= to be a torch.nn.Module")
            return ModelFacts(), None
        from tasks import network_facts

        size = _size(self.input_size)
        shape = (3, *size) if size is not None else ()
        macs = None
        if self.gmacs:
            macs = network_facts.gmacs(self.network, self.network, (1, *shape)) or None
        params_m = network_facts.params_m(self.network) or None
        return ModelFacts(params_m, macs, shape), network_facts.fingerprint(self.network)


def whole_number(key: str, value: Any) -> int:
    """`value` as an integer of at least 1. Raises `WattError`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or number < 1:
        raise WattError(f"{key}={value!r} is no whole number of at least 1")
    return number


def _require_name(key: str, value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise WattError(f"{key}={value!r} is no name: give a text, as in {key}='my-net'")


def _stage(at: int, given: Any) -> Stage:
    names = [field.name for field in dataclasses.fields(Stage)]
    stage = given
    if isinstance(given, Mapping):
        for key in given:
            if key not in names:
                raise WattError(f"recipe[{at}].{key} is no key of a stage; {_near(key, names)}")
        try:
            stage = Stage(**given)
        except ValidationError as error:
            raise WattError(_first_line(error, f"recipe[{at}]")) from None
    if not isinstance(stage, Stage):
        raise WattError(f"recipe[{at}]={given!r} is no stage: give a watt.Stage or a dict")
    if stage.row is None and (stage.num_samples is None or stage.num_epochs is None):
        raise WattError(
            f"recipe[{at}] ({stage.name}) has no cost: give num_samples and num_epochs, or row"
        )
    if min(stage.num_samples or 0, stage.num_epochs or 0, stage.share) < 0:
        raise WattError(f"recipe[{at}] ({stage.name}): num_samples, num_epochs and share are >= 0")
    return stage


def _size(given: Any) -> tuple[int, ...] | None:
    if given is None:
        return None
    sides = (given, given) if isinstance(given, int) else tuple(given)
    return tuple(whole_number("input_size", side) for side in sides)


def _class_name(network: Any) -> str:
    kind = network if isinstance(network, type) else type(network)
    return f"{kind.__module__}:{kind.__qualname__}"


def _near(word: Any, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(word), known, 3, 0.4)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known[:20])}"


def _first_line(error: ValidationError, where: str) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"{where}: {key}={first['input']!r}: {first['msg']}"
