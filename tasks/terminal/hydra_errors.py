"""What Hydra, OmegaConf and YAML say of a config that does not compose, in one line each."""

from __future__ import annotations

import re

from omegaconf import OmegaConf

from tasks.config.model_names import CONF_DIR, timm_names, yaml_names
from tasks.config.refusals import malformed, one_line
from tasks.errors import unknown
from tasks.terminal.arguments import unreadable

_DETAILS = ("full_key", "object_type", "reference_type", "See https", "To append to your config")


def said(error: Exception) -> str:
    """`error` in one line, with the nearest known names where a name was mistyped."""
    import yaml
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
        return str(unknown(group, name, known, f"known: {', '.join(known[:40])}"))
    mistyped = re.match(r"Could not (?:override|delete)[^']*'([^'@=]+)", str(error))
    if mistyped and "." not in mistyped.group(1):
        return str(unknown("key", mistyped.group(1), _keys(), "see --help"))
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    told = "; ".join(line for line in lines if not line.startswith(_DETAILS))
    return one_line(told) or type(error).__name__


def _keys() -> list[str]:
    keys = OmegaConf.load(CONF_DIR / "config.yaml")
    groups = [path.name for path in CONF_DIR.iterdir() if path.is_dir()]
    return [*map(str, keys), *groups]
