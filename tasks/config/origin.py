"""Which file of the user's holds the value that a message refuses."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from tasks.config.model_names import CONF_DIR
from tasks.config.refusals import shown

_VALUE = re.compile(r"([\w.]+)=")
_UNKNOWN_KEY = re.compile(r"key (?:([\w.]+) )?'([^']+)' is unknown")
_UNKNOWN_VALUE = re.compile(r"([\w.]+) '([^']*)' is unknown")
_LAUNCHER = re.compile(r"^\s*-\s*override\s+/?(hydra/(?:launcher|sweeper))\s*:\s*([\w-]+)", re.M)
_MISSING = re.compile(r"([\w.]+)(?:=null)? is missing")


def with_file(message: str, hydra: DictConfig) -> str:
    """`message`, which begins with its key and value, after the file that holds them; as it is
    where the command line or a default of the suite does. hydra: Hydra's settings of the run."""
    key, value = _key_and_value(message)
    groups = {choice.partition("@")[0] for choice in hydra.runtime.choices}
    overrides: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    typed = [str(text).lstrip("+~").partition("=")[0] for text in overrides]
    if not key or any(f"{key}.".startswith(f"{one}.") for one in typed if one not in groups):
        return message
    for path, group in _files(hydra):
        if _holds(_read(path), key.split("."), group, value):
            return f"{_short(path)}: {message}"
    return message


def launcher_not_taken(hydra: Any) -> str | None:
    """Why a launcher or sweeper that a chosen file names does not run this command: Hydra chooses
    them before it reads what a sweep or an experiment chooses; None where each is taken. hydra:
    Hydra's settings of the run."""
    typed = [str(override).partition("=")[0] for override in hydra.overrides.hydra]
    for path, _ in _files(hydra):
        for group, name in _launchers_in(path):
            chosen = hydra.runtime.choices.get(group)
            if name != chosen and group not in typed:
                return (
                    f"{_short(path)}: override {group}: {name} comes too late, the command runs "
                    f"with {chosen}; take it out and write {group}={name} on the command line"
                )
    return None


@lru_cache(maxsize=1000)
def _launchers_in(path: Path) -> list[tuple[str, str]]:
    """(group, name) of the launcher and sweeper that a file's defaults list names."""
    return _LAUNCHER.findall(path.read_text(encoding="utf-8", errors="replace"))


def _key_and_value(message: str) -> tuple[str, str | None]:
    """value: what comes after the key and `=`, as far as the message goes; None for any."""
    if match := _UNKNOWN_KEY.match(message):
        return ".".join(part for part in match.groups() if part), None
    if match := _UNKNOWN_VALUE.match(message):
        return match[1], match[2]
    if match := _MISSING.match(message):
        return match[1], "null"
    match = _VALUE.match(message)
    return (match[1], message[match.end() :]) if match else ("", None)


def _files(hydra: DictConfig) -> Iterator[tuple[Path, str]]:
    """(file, its group) of all that a run's config may be composed from, but for the suite's
    `config.yaml`, which has a value for every key."""
    names = [("", hydra.job.config_name or "")]
    for choice, name in hydra.runtime.choices.items():
        group = choice.partition("@")[0]
        names += [(group, one) for one in (name if isinstance(name, list) else [name]) if one]
    names += [("local", name) for name in ("site", "overrides")]
    folders = [source.path for source in hydra.runtime.config_sources if source.schema == "file"]
    for group, name in names:
        paths = [Path(folder, group, f"{name}.yaml") for folder in folders]
        path = next((path for path in paths if path.is_file()), None)
        if path is not None and path != CONF_DIR / "config.yaml":
            yield path, group


def _read(path: Path) -> Any:
    try:
        return OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except (OSError, ValueError, yaml.YAMLError):
        return {}


def _holds(values: Any, parts: Sequence[str], group: str, value: str | None) -> bool:
    """Whether `values`, a file of `group`, have the key; from its group on, or from the top."""
    if parts[-1] == "name" and value == "null":  # a file without a name
        return len(parts) == 2 and parts[0] == group
    places = [parts] if group in ("", "experiment") else [parts[1:], parts]
    return any(_has(values, place, value) for place in places if place)


def _has(values: Any, parts: Sequence[str], value: str | None) -> bool:
    for index, part in enumerate(parts):
        if isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        elif isinstance(values, dict) and part in values:
            values = values[part]
        else:  # an entry of a list that lacks a key
            is_entry = index > 0 and parts[index - 1].isdigit()
            return is_entry and value is not None and value.startswith("null")
    return value is None or value.startswith(shown(values))


def _short(path: Path) -> str:
    """Relative where it lies below the current folder."""
    here = os.path.relpath(path)
    return str(path) if here.startswith("..") else here
