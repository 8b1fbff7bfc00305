"""What Hydra, OmegaConf and YAML say of a config that does not compose, in one line each."""

from __future__ import annotations

import argparse
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tasks.config import key_table
from tasks.config.model_names import CONF_DIR, renamed, unknown_model, yaml_names
from tasks.config.own_modules import callable_name
from tasks.config.refusals import one_line, shown
from tasks.errors import unknown
from tasks.terminal.unreadable import GROUPS, unreadable

_COMPOSING = re.compile(r"In '([^']+)': (?:\w+ raised while composing config:\s*)?")
_KIND = re.compile(r"(?:Cannot|Merge error|not a subclass|is not a )[\s\S]*?full_key: *(\S*)")
_LAUNCHER = "hydra.launcher."
_COMPOSERS = ("hydra", "omegaconf", "yaml", "antlr4")
_OURS = ("run", "tasks", "launchers", "metering", "hydra_plugins", "watt_for_what")
_DETAILS = ("full_key", "object_type", "reference_type", "See https", "To append to your config")


def is_of_config(error: Exception) -> bool:
    """Whether `error` says what is wrong with a config or a command line, and no code of this
    suite is at fault: Hydra, OmegaConf and YAML raise types of their own, but plain ones too."""
    from hydra.errors import HydraException

    if isinstance(error, (HydraException, OmegaConfBaseException, yaml.YAMLError)):
        return True
    packages = [
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    either = [package for package in packages if package in (*_COMPOSERS, *_OURS)]
    return bool(either) and either[-1] in _COMPOSERS


def explained(error: Exception, flags: argparse.Namespace | None = None) -> str:
    """`error` in one line, with the nearest known names where a name was mistyped, after the file
    that is at fault. flags: the command line's."""
    from hydra.errors import MissingConfigException, OverrideParseException

    if isinstance(error, OverrideParseException):
        return unreadable(error.override)
    if isinstance(error, RecursionError):
        return f"{_primary(flags)}: its defaults list leads back to itself; leave that file out"
    is_primary = str(error).startswith("Cannot find primary config")
    if isinstance(error, MissingConfigException) and (
        is_primary or "/" in str(error.missing_cfg_file)
    ):
        return _no_primary(flags) if is_primary else _missing_file(error, flags)
    if words := _of_override(error, flags):
        return words
    place = _COMPOSING.match(str(error))
    if place is None:
        return _of_composing(str(error), "", flags) or type(error).__name__
    message = str(error)[place.end() :]
    return f"{_file_of(place[1], flags)}: {_of_composing(message, place[1], flags)}"


def _of_override(error: Exception, flags: argparse.Namespace | None) -> str:
    """What is wrong with an override that Hydra could not put in its place; empty for any other
    error. Some come as plain errors of Python's."""
    if sweeping := re.search(r"Sweeping over Hydra's configuration .*'(.*)'", str(error)):
        return f"{sweeping[1]} sweeps what holds for a whole command; give it one value a command"
    if other := re.search(r"Could not delete.*The value of '(\S+)' is (.*) and not", str(error)):
        return f"~{other[1]} with another value than it has, {other[2]}; leave the value out"
    if target := re.search(r"Error locating target '([^']+)'", str(error)):
        typed = [text for text in (flags.overrides if flags else ()) if target[1] in text]
        return f"{(typed or [target[1]])[0]} is no class of Python's; give package.module.Name"
    if unset := re.search(r"Error resolving interpolation '(.*)', possible", str(error)):
        typed = [text for text in (flags.overrides if flags else ()) if unset[1] in text]
        return f"{(typed or [unset[1]])[0]} cannot be resolved; give a name"
    merging = re.search(r"Error merging override (\S+)", str(error))
    line = merging[1] if merging else ""
    if isinstance(error, (AttributeError, TypeError)) and not isinstance(
        error, OmegaConfBaseException
    ):
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_name == "_apply_overrides_to_config" and not line:
                line = str(getattr(frame.f_locals.get("override"), "input_line", ""))
    return f"{line} does not suit what the key holds; give a value of its kind" if line else ""


def _no_primary(flags: argparse.Namespace | None) -> str:
    name = (flags and flags.config_name) or "config"
    folders = " or ".join(str(folder) for folder in _folders(flags))
    cure = "name its folder by --config-dir FOLDER"
    if any((folder / f"{name.removesuffix('.yml')}.yml").is_file() for folder in _folders(flags)):
        cure = "Hydra reads .yaml alone: rename it"
    return (
        f"--config-name {name}: there is no {name.removesuffix('.yaml')}.yaml in {folders}; {cure}"
    )


def _of_composing(message: str, config: str, flags: argparse.Namespace | None) -> str:
    """config: Hydra's name of the file that it composed, where it said."""
    if twice := re.match(r"Multiple values for (\S+)\. .*'override \S+: (.*)'", message):
        words = f"defaults chooses {twice[1]} a second time; write override {twice[1]}: {twice[2]}"
        return f"{_naming(twice[1], twice[2], config, flags)}: {words}"
    if mistyped := re.search(r"Could not (?:override|delete)[^']*'([^'@=]+)", message):
        group = mistyped[1].removeprefix("/")
        if config and group in GROUPS:
            place = f"/{group}@_global_.{group}"
            return f"defaults cannot override {group} from here; write override {place}: NAME"
        return _no_such_key(mistyped[1], flags)
    if wrong := _KIND.search(message):
        named = wrong[1] or _other_kind(config, flags) or "a key"
        return f"{named} does not suit what the key holds; give a value of its kind"
    if missing := re.match(r"Could not load '([^']+)'", message):
        return f"defaults has {missing[1]}, which is no file; give GROUP: NAME, or config"
    return _without_details(message)


def _without_details(text: str) -> str:
    lines = [line.strip().rstrip(".") for line in text.splitlines() if line.strip()]
    return one_line("; ".join(line for line in lines if not line.startswith(_DETAILS)))


def _missing_file(error: Any, flags: argparse.Namespace | None) -> str:
    """A name that no file of its group has; where the command line has it not, the file that
    names it goes before."""
    group, _, name = str(error.missing_cfg_file).removesuffix(".yaml").partition("/")
    while "/" in name and (
        group == "hydra" or (CONF_DIR / group / name.partition("/")[0]).is_dir()
    ):  # hydra/launcher
        group, name = f"{group}/{name.partition('/')[0]}", name.partition("/")[2]
    known = list(error.options or sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml")))
    if group == "model" and callable_name(name):
        return f"model={name} is a function or class; write model=own model.source={name}"
    listed = yaml_names() if group == "model" else known
    cure = f"known: {', '.join(sorted(listed)[:40])}"
    if group == "model":
        words = renamed(name) or str(unknown_model(name, cure))
    else:
        words = str(unknown(group, name, known, cure))
    overrides = flags.overrides if flags else ()
    typed = [text.lstrip("+").startswith(group) and name in text for text in overrides]
    place = _COMPOSING.match(str(error))
    file = _naming(group, name, place[1] if place else "", flags)
    return words if any(typed) else f"{file}: {words}"


def _folders(flags: argparse.Namespace | None) -> list[Path]:
    """Where the user's and the suite's configs lie."""
    own = (flags.config_path, flags.config_dir) if flags else ()
    return [Path(folder) for folder in (*own, CONF_DIR) if folder]


def _primary(flags: argparse.Namespace | None) -> str:
    return _file_of((flags and flags.config_name) or "config", flags)


def _file_of(config: str, flags: argparse.Namespace | None) -> str:
    """The path of what Hydra calls `config`; its name where no folder has it."""
    paths = [folder / f"{config}.yaml" for folder in _folders(flags)]
    return str(next((path for path in paths if path.is_file()), config))


def _naming(group: str, name: str, config: str, flags: argparse.Namespace | None) -> str:
    """The file whose defaults list names `name` for `group`: `config`, where Hydra named it, then
    where the command line points, then any; the primary config where none is found."""
    line = re.compile(rf"\b{re.escape(group)}(@[\w.]+)?: *\[?[^\n]*\b{re.escape(name)}\b")
    own = Path(_file_of(config, flags))
    if own.is_file() and name in own.read_text(encoding="utf-8", errors="replace"):
        return str(own)
    typed = [text.lstrip("+").split("=", 1) for text in (flags.overrides if flags else ())]
    chosen = [_file_of("/".join(words), flags) for words in typed if len(words) == 2]
    files = [Path(_primary(flags)), *map(Path, chosen)]
    files += [path for folder in _folders(flags) for path in sorted(folder.rglob("*.yaml"))]
    for path in files:
        if path.is_file() and line.search(path.read_text(encoding="utf-8", errors="replace")):
            return str(path)
    return _primary(flags)


def _other_kind(config: str, flags: argparse.Namespace | None) -> str:
    """`key=value` of the first group or list in the file `config` that is not what the suite's
    config has there; empty where there is none."""
    group = config.rpartition("/")[0]
    values, ours = _read(Path(_file_of(config, flags))), _read(CONF_DIR / "config.yaml")
    ours = ours.get(group, ours)
    for key, value in values.items():
        if type(value) is not type(ours.get(key, value)):
            return f"{group}.{key}={shown(value)}".lstrip(".")
    return ""


def _no_such_launcher_key(key: str) -> str:
    """Of the launcher that is chosen, or of any."""
    keys = {each.name: each.only for each in key_table.all_keys() if each.only}
    known = {name: only for name, only in keys.items() if name.startswith(_LAUNCHER)}
    if key in known:
        return f"key '{key}' is for hydra/launcher={known[key][0]} alone; leave it out"
    return str(unknown("key", key, known))


def _no_such_key(key: str, flags: argparse.Namespace | None) -> str:
    if key.startswith(_LAUNCHER):
        return _no_such_launcher_key(key)
    known = _keys()
    if key in known and flags and flags.config_name not in (None, "config"):
        return f"{_primary(flags)} is not based on config; begin it with defaults: [config, _self_]"
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
