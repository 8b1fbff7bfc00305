"""What is wrong with a config, in one line: key, value and cure. The one place that turns errors of
pydantic and OmegaConf into the words that a user reads."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, Union

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError

from tasks.errors import PlanError, unknown

T = TypeVar("T")

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_RAISED = re.compile(r"^\w+ raised while resolving interpolation: ")
"""OmegaConf's words before those of a resolver."""
_MISSING = ("missing", "missing_argument")
_CURES = {
    "dict_type": "is not a mapping; give KEY: VALUE pairs",
    "dataclass_type": "is not a group of settings; give KEY: VALUE pairs, or choose one by name",
    "tuple_type": "is not a list; give one in brackets, such as [a,b]",
    "list_type": "is not a list; give one in brackets, such as [a,b]",
    "too_short": "has too few entries; give more",
    "too_long": "has too many entries; leave some out",
    "string_type": "is not text; give a name or a path, a number in quotes",
}
_NO_NAME = "has a number for its name; give names for keys, such as num_classes"
_OTHER = "is not what this key takes; python run.py --help lists what each takes"
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
"""Of each kind one: it takes longer to make than to use."""


def validated(kind: type[T], values: Any, key: str = "") -> T:
    """`values` as `kind`. Raises `PlanError`: one line. key: where the values stand."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    try:
        value: T = _ADAPTERS[kind].validate_python(values)
        return value
    except ValidationError as error:
        raise refusal(error, kind, key) from None


def refusal(error: ValidationError, kind: Any, key: str = "") -> PlanError:
    """The first thing that is wrong; a key that is unknown goes before one that is missing."""
    problems = sorted(error.errors(), key=lambda one: one["type"] not in _UNKNOWN_KEY)
    problem = problems[0]
    place = [part for part in (key, *problem["loc"]) if part != ""]
    context = problem.get("ctx", {})
    if problem["type"] in _UNKNOWN_KEY:
        return _unknown_key(place, _known(kind, problem["loc"][:-1]))
    path = ".".join(map(str, place))
    if problem["type"] in _MISSING and isinstance(place[-1], int):
        return PlanError(f"{'.'.join(map(str, place[:-1]))} has too few entries; give more")
    if problem["type"] in _MISSING:
        return PlanError(f"{path} is missing; give {path}=VALUE, or the key in its file")
    if "key" in context:  # a check of a whole group names its key itself
        path = ".".join(part for part in (path, str(context["key"])) if part)
    value = context.get("value", problem["input"])
    if problem["type"] == "literal_error":
        choices = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        return PlanError(f"{path}={shown(value)} is unknown; use one of {choices}")
    # an error of pydantic's own has an address of its page, one of ours has none
    words = _CURES.get(problem["type"], _OTHER if "url" in problem else problem["msg"])
    if place[-1] == "[key]":
        path, words = ".".join(map(str, place[:-1])), _NO_NAME
    return PlanError(f"{path}={shown(value)} {words}")


def unresolved(config: DictConfig, error: OmegaConfBaseException) -> PlanError:
    """A value that OmegaConf cannot give: missing (`???`), or an interpolation that fails."""
    key = str(getattr(error, "full_key", None) or getattr(error, "key", None) or "config")
    if isinstance(error, MissingMandatoryValue):
        return PlanError(f"{key}=??? is missing; give {key}=VALUE")
    raw: Any = OmegaConf.to_container(config, resolve=False)
    for part in key.replace("[", ".").replace("]", "").split("."):
        try:
            raw = raw[int(part)] if isinstance(raw, list) else raw[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raw = "?"
    why = one_line(_RAISED.sub("", str(error).splitlines()[0]))
    return PlanError(f"{key}={shown(raw)} cannot be resolved: {why}; give a value or a known key")


def shown(value: Any) -> str:
    """A value as the command line has it, in a few words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    text = one_line(str(value))
    return text if len(text) <= 120 else f"{text[:117]}..."


def one_line(text: str) -> str:
    return " ".join(text.split())


def _unknown_key(place: Sequence[Any], known: Sequence[str]) -> PlanError:
    *group, name = map(str, place)
    kind = f"key {'.'.join(group)}" if group else "key"
    return unknown(kind, name, known, f"known keys: {', '.join(sorted(known))}")


def _known(kind: Any, location: Sequence[Any]) -> list[str]:
    """Names of the fields of the group at `location` in `kind`."""
    for part in location:
        kind = _bare(kind)
        if isinstance(part, int):
            kind = typing.get_args(kind)[0]
        else:
            kind = typing.get_type_hints(kind, include_extras=True)[part]
    return list(typing.get_type_hints(_bare(kind)))


def _bare(kind: Any) -> Any:
    """`kind` without `Annotated` and without `| None`."""
    while typing.get_origin(kind) in (Annotated, Union, types.UnionType):
        parts = [part for part in typing.get_args(kind) if part is not type(None)]
        kind = parts[0]
    return kind


def group_of(values: Mapping[str, Any], name: str, choices: Sequence[str]) -> dict[str, Any]:
    """The settings of the config group `name`. Raises `PlanError` where it was removed, or a value
    stands in its place."""
    group = values.get(name)
    if isinstance(group, Mapping) and group.get("name") is not None:
        return dict(group)
    near = ", ".join(sorted(choices)[:12])
    if isinstance(group, Mapping) and any(value for value in group.values()):
        raise PlanError(
            f"{name}.name is missing; choose {name}=NAME, whose file has a name ({near})"
        )
    if group:
        raise PlanError(
            f"{name}={shown(group)} stands where its settings belong; choose {name}=NAME, or in a "
            f"defaults list {{override {name}: NAME}}, one of {near}"
        )
    raise PlanError(f"{name}=null chooses nothing; choose {name}=NAME, one of {near}")
