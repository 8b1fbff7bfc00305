"""Every key of the schema with every wrong kind of value: planned, or refused in one plain line."""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
import re
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import launchers
from launchers.settings import LocalSettings, SlurmSettings, launcher_settings
from tasks.config.model_names import CONF_DIR
from tasks.config.schema import RecipeStage, RunConfig
from tasks.errors import PlanError
from tasks.plan import from_config

ODD: tuple[Any, ...] = (
    None, True, 0, -7, 2.5, 10**30, math.nan, -math.inf, "", "\n", "a\0b", "~nobody/x", "abc",
    "é" * 300, [], [None], ["a", 1], [[1]], {}, {"a": 1}, {"a": {"b": None}}, {1: 2}, "${nope}",
    "???",
)  # fmt: skip
LEAKS = (
    "Input should be", "validation error", "Traceback", "omegaconf", "Key '", "[key]", "pydantic",
    "hydra.errors", "object_type", "full_key", "dataclass", "DictConfig", "NoneType", "<class",
    "errors.pydantic.dev",
)  # fmt: skip
GROUPS = (dict, list)


def keys(kind: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, its type) of all that `kind` may hold."""
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        given = "import" if name == "imports" else name
        yield prefix + given, hint
        if (inner := _group(hint)) is not None:
            entry = "0." if inner is RecipeStage else ""
            yield from keys(inner, f"{prefix}{given}.{entry}")


def _group(hint: Any) -> type | None:
    """The dataclass or typed dictionary that `hint` stands for, if any."""
    if typing.get_origin(hint) in (Annotated, typing.Union, types.UnionType, tuple):
        return next((kind for part in typing.get_args(hint) if (kind := _group(part))), None)
    is_group = dataclasses.is_dataclass(hint) or typing.is_typeddict(hint)
    return hint if is_group and isinstance(hint, type) else None


def _takes_groups(hint: Any) -> bool:
    """Whether a value of the key may be a list or a mapping."""
    return any(word in str(hint) for word in ("tuple", "dict", "Config", "TypedDict", "setup"))


KEYS = dict(keys(RunConfig))


@functools.cache
def composed() -> Any:
    """The config of a run, as Hydra composes it; its values are put back after each change."""
    launchers.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        config = compose("config", ["model=resnet18"])
    OmegaConf.set_struct(config, False)
    return config


def planned(key: str, value: Any) -> str:
    """What refuses the config with that value; empty where it is planned."""
    *above, last = (int(part) if part.isdigit() else part for part in key.split("."))
    group = functools.reduce(operator.getitem, above, composed())
    before = dict(group)
    try:
        group[last] = value
        from_config(composed())
    except PlanError as error:
        return str(error)
    finally:
        if last in before:
            group[last] = before[last]
        else:
            del group[last]
    return ""


def require_plain(line: str, key: str) -> None:
    assert "\n" not in line and len(line) < 1200
    assert not [leak for leak in LEAKS if leak in line], line
    assert set(key.split(".")) & set(re.findall(r"\w+", line)), (key, line)
    assert any(word in line for word in (";", "did you mean", "needs")), ("no cure", line)


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_wrong_value_of_any_key_is_one_line_that_names_the_key_and_a_cure(key: str) -> None:
    for value in ODD:
        line = planned(key, value)
        if line:
            require_plain(line, key)
        elif isinstance(value, GROUPS) and value:
            assert _takes_groups(KEYS[key]), f"{key}={value!r} was planned"


@pytest.mark.parametrize("key", ["model", "data", "hardware", "meter"])
@pytest.mark.parametrize("value", [value for value in ODD if not isinstance(value, dict)])
def test_what_stands_in_place_of_a_group_is_refused(key: str, value: Any) -> None:
    require_plain(planned(key, value), key)


@pytest.mark.parametrize("kind", [LocalSettings, SlurmSettings])
def test_a_wrong_value_of_any_launchers_key_is_one_line(kind: type) -> None:
    target = kind.__name__.replace("Settings", "Launcher")
    for field in dataclasses.fields(kind):
        for value in (value for value in ODD if value not in ("${nope}", "???")):
            try:
                launcher_settings({"_target_": target, field.name: value})
            except PlanError as error:
                require_plain(str(error), f"hydra.launcher.{field.name}")
