"""The command line before Hydra reads it: what Hydra would take for something else, or refuse in
words that do not help, is refused here in one line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from tasks.config.model_names import CONF_DIR, OPTIONAL_GROUPS
from tasks.errors import PlanError
from tasks.terminal.unreadable import GROUPS, unreadable

_FREE = re.compile(r"(model\.options|data\.options|hardware\.slurm\.extra)([.=])")
"""Keys that take entries of any name."""

_NOT_SWEPT = {
    "repeats": "the number of repetitions; give one number",
    "seed": "the seed, which makes no other run; write repeats=3 to measure each run three times, "
    "with the next seeds",
}


def check(arguments: Sequence[str]) -> argparse.Namespace:
    """Hydra's flags. Raises `PlanError` for a flag, an override or a sweep that cannot be meant."""
    from hydra._internal.utils import get_args_parser
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    parser: Any = get_args_parser()
    parser.error = _refuse_flag
    flags: argparse.Namespace = parser.parse_intermixed_args(list(arguments))
    _check_flags(flags)
    reader = OverridesParser.create()
    overrides = {}
    for text in flags.overrides:
        try:
            overrides[text] = reader.parse_override(text)
        except (HydraException, OmegaConfBaseException, ValueError):
            raise PlanError(unreadable(text)) from None
        check_override(text, overrides[text], flags.multirun)
    _check_given_once(overrides, flags.multirun)
    return flags


def with_kind_of_info(arguments: Sequence[str]) -> list[str]:
    """The same arguments, without the carriage return that a script with Windows' line ends leaves
    at the last; `--info` without a word of its own would take an override for one."""
    own = [word.rstrip("\r") for word in arguments if word != "\r"]
    for at, word in enumerate(own):
        follows = own[at + 1] if at + 1 < len(own) else "-"
        if word in ("--info", "-i") and (follows.startswith("-") or "=" in follows):
            own[at] = "--info=all"
    return own


def in_hydras_order(arguments: Sequence[str], flags: argparse.Namespace) -> list[str]:
    """The same arguments as Hydra reads them: its flags go before all overrides, and an entry of
    its own in options (`model.options.drop_rate=0.1`) needs two plus signs."""
    own = list(arguments)
    for text in flags.overrides:
        own.remove(text)
    return [*own, *(f"++{text}" if _FREE.match(text) else text for text in flags.overrides)]


def _refuse_flag(message: str) -> NoReturn:
    kind, _, words = message.partition("unrecognized arguments: ")
    typed = next((word for word in words.split() if word.startswith("--")), "")
    if kind or not typed:
        raise PlanError(f"{' '.join(message.split())}; see python run.py --help")
    key, equals, value = typed.lstrip("-").replace("-", "_").partition("=")
    raise PlanError(
        f"unrecognized arguments: {typed}; a key has no dashes before it, write "
        f"{key}={value if equals else 'VALUE'}; flags are in python run.py --help"
    )


def _check_flags(flags: argparse.Namespace) -> None:
    _check_places(flags)
    if flags.experimental_rerun:
        raise PlanError(
            f"--experimental-rerun={flags.experimental_rerun} needs a config that Hydra pickled, "
            "and this suite keeps none; run the same command again: what is finished is not "
            "measured twice"
        )
    if (flags.resolve or flags.package) and not flags.cfg:
        raise PlanError("--resolve and --package need --cfg; write --cfg job --resolve")


def _check_places(flags: argparse.Namespace) -> None:
    """Where configs of the user's own lie."""
    folder = flags.config_dir
    if folder is not None and not Path(folder).is_dir():
        cure = "give one that holds configs"
        if Path(folder).expanduser().is_dir():
            cure = f"the shell leaves ~ as it is there: write {Path(folder).expanduser()}"
        raise PlanError(f"--config-dir {folder} is no folder; {cure}")
    path, name = flags.config_path, flags.config_name
    if path is not None and "://" not in path and not Path(path).is_absolute():
        raise PlanError(
            f"--config-path {path} is not absolute; write --config-path {Path(path).absolute()}, "
            f"or --config-dir {path}, which may be relative"
        )
    if name is not None and "/" in name:
        file = PurePosixPath(name)
        raise PlanError(
            f"--config-name {name} has a folder; write --config-dir {file.parent} "
            f"--config-name {file.stem}"
        )


def _check_given_once(overrides: Mapping[str, Any], is_multirun: bool) -> None:
    """Hydra would take the last of two, where both are meant."""
    by_key: dict[str, str] = {}
    for text, override in overrides.items():
        key = f"{override.key_or_group}@{override.package or ''}"
        before = by_key.setdefault(key, text)
        sweeps = override.is_sweep_override() or overrides[before].is_sweep_override()
        if before == text or not (sweeps or override.key_or_group in GROUPS):
            continue
        if override.key_or_group == "experiment":
            raise PlanError(_several_experiments(f"{before} {text}"))
        raise PlanError(
            f"{before} and {text} are two choices for one key; write {'' if is_multirun else '-m '}"
            f"{override.key_or_group}=A,B to run both, or leave one out"
        )


def check_override(text: str, override: Any, is_multirun: bool) -> None:
    """override: what Hydra reads in `text`. Raises `PlanError` for one that cannot be meant."""
    key, value = override.key_or_group.lstrip("/"), override.value()
    if not key:
        raise PlanError(unreadable(text))
    if key in _NOT_SWEPT and override.is_sweep_override():
        raise PlanError(f"{text} sweeps {_NOT_SWEPT[key]}")
    _check_whole(text, key, override)
    if key not in GROUPS and not (CONF_DIR / key).is_dir():
        if override.is_sweep_override() and not is_multirun:
            raise PlanError(
                f"{text} is a list of choices: add -m to run each, or give it as one value, "
                f"'{key}=\"{text.partition('=')[2]}\"' or '{key}=[{text.partition('=')[2]}]'"
            )
        if key in ("hydra.launcher", "hydra.sweeper") and value is None:
            raise PlanError(f"{text} removes what every run needs; leave it out")
        if override.is_delete() and key in _top_keys():
            raise PlanError(f"{text} removes {key}, which every run needs; give {key}=VALUE")
        return
    if text.startswith("+") and override.package is None and not isinstance(value, dict):
        raise PlanError(f"{text} adds a second {key}; write {text.lstrip('+')}")
    if override.is_sweep_override():
        _check_sweep(text, key, is_multirun)
        for name in getattr(value, "list", ()):
            _check_name(text, key, name if name is None or isinstance(name, dict) else str(name))
    elif override.is_delete():
        if key in OPTIONAL_GROUPS:
            raise PlanError(f"{text} removes nothing that was chosen; leave it out")
        raise PlanError(f"{text} removes {key}, which every run needs; choose {key}=NAME")
    else:
        _check_name(text, key, value)


def _top_keys() -> set[str]:
    from tasks.config import key_table

    return {key.name.partition(".")[0] for key in key_table.all_keys()}


def _check_whole(text: str, key: str, override: Any) -> None:
    """Raises `PlanError` for a group in a package, and for a choice that stands twice: it would be
    measured once, or by two jobs that write one record."""
    if key == "hydra.searchpath":
        _check_search_path(text, override.value())
    if override.package is not None and key in GROUPS:
        raise PlanError(f"{text} puts {key} where nothing reads it; write {key}=NAME")
    choices = list(map(str, getattr(override.value(), "list", ())))
    if override.is_sweep_override() and (
        twice := [choice for choice in choices if choices.count(choice) > 1]
    ):
        raise PlanError(
            f"{text} has {twice[0]} twice; leave one out (repeats=2 measures each run twice)"
        )


def _check_search_path(text: str, places: Any) -> None:
    for place in places if isinstance(places, list) else [places]:
        folder = str(place).removeprefix("file://")
        if place is not None and "://" not in folder and not Path(folder).is_dir():
            raise PlanError(f"{text}: {folder} is no folder; give one that holds configs")


def _check_name(text: str, key: str, value: Any) -> None:
    """value: what chooses a file of the group `key`."""
    if value is None or value == "":
        raise PlanError(f"{text} chooses nothing; choose {key}=NAME, or leave it out")
    if isinstance(value, list) and value and key == "experiment":
        raise PlanError(_several_experiments(text))
    if isinstance(value, list) and value:
        joined = ",".join(map(str, value))
        raise PlanError(
            f"{text} is a list in place of a name; add -m and write {key}={joined} to run each"
        )
    if not isinstance(value, str):
        raise PlanError(
            f"{text} is no name; choose {key}=NAME and set its values by {key}.KEY=VALUE"
        )
    if _is_path(value):
        raise PlanError(_path_for_name(text, key, value))


def _is_path(name: str) -> bool:
    return name.startswith(("/", "~", ".")) or ".." in PurePosixPath(name).parts


def _path_for_name(text: str, key: str, path: str) -> str:
    cure = {
        "data": f"write data=folder data.root={path}, or another set with its data.root",
        "model": "choose model=NAME; a file of weights is checkpoint=FILE, a file of settings in "
        "FOLDER/model/NAME.yaml is --config-dir FOLDER model=NAME",
    }
    return f"{text} is a path, not a name; " + cure.get(
        key, f"choose {key}=NAME; a file of yours in FOLDER/{key}/ is found by --config-dir FOLDER"
    )


def _check_sweep(text: str, key: str, is_multirun: bool) -> None:
    if key == "experiment":
        raise PlanError(_several_experiments(text))
    if not is_multirun:
        raise PlanError(f"{text} is a list of choices: add -m to run each")


def _several_experiments(text: str) -> str:
    return (
        f"{text} is several experiments; run one a command, such as python run.py -m "
        "experiment=table1"
    )
