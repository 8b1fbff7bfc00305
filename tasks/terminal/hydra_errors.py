"""What Hydra, OmegaConf and YAML say of a config that does not compose, in one line each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from tasks.config.model_names import CONF_DIR, timm_names, yaml_names
from tasks.config.refusals import malformed, one_line
from tasks.errors import unknown
from tasks.terminal.arguments import unreadable

_DETAILS = ("full_key", "object_type", "reference_type", "See https", "To append to your config")


def said(error: Exception) -> str:
    """`error` in one line, with the nearest known names where a name was mistyped."""
    from hydra.errors import MissingConfigException, OverrideParseException

    if isinstance(error, yaml.YAMLError):
        return str(malformed(error))
    if isinstance(error, OverrideParseException):
        return unreadable(error.override)
    missing = getattr(error, "missing_cfg_file", None)
    if isinstance(error, MissingConfigException) and isinstance(missing, str) and "/" in missing:
        group, name = missing.removesuffix(".yaml").rsplit("/", 1)
        known = list(error.options or ())
        if group == "model":
            known = sorted(yaml_names() | timm_names())
        listed = yaml_names() if group == "model" else known
        return str(unknown(group, name, known, f"known: {', '.join(sorted(listed)[:40])}"))
    mistyped = re.search(r"Could not (?:override|delete)[^']*'([^'@=]+)", str(error))
    if mistyped:
        return _no_such_key(mistyped.group(1))
    merging = re.search(r"Error merging override (\S+)", str(error))
    if merging:
        return f"{merging.group(1)} does not suit what the key holds; give a value of its kind"
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    told = "; ".join(line for line in lines if not line.startswith(_DETAILS))
    return one_line(told) or type(error).__name__


def _no_such_key(key: str) -> str:
    known = _keys()
    if key in known or ".options." in key:
        return f"key '{key}' takes no new entry like that; put a plus before it, +{key}=VALUE"
    return str(unknown("key", key, known, "see python run.py --help"))


def _keys() -> set[str]:
    """Every key that a file of `conf/` has, dotted; what no one could mean is left out."""
    keys = set(_dotted(_read(CONF_DIR / "config.yaml"), ""))
    for group in ("task", "model", "data", "hardware", "meter"):
        for path in (CONF_DIR / group).glob("*.yaml"):
            keys |= {group, *_dotted(_read(path), f"{group}.")}
    keys |= {"experiment", "scale", "switch"}
    return {key for key in keys if key.split(".")[-1] != "defaults"}


def _read(path: Path) -> Any:
    try:
        return OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except (yaml.YAMLError, OSError, ValueError):
        return {}  # a damaged file has no keys to suggest


def _dotted(values: Any, prefix: str) -> Iterator[str]:
    if isinstance(values, dict):
        for name, value in values.items():
            yield f"{prefix}{name}"
            yield from _dotted(value, f"{prefix}{name}.")
