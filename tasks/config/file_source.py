"""A Hydra config source: YAML files, each looked at before Hydra merges it. What is wrong with a
file is one line that names the file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader
from omegaconf.errors import OmegaConfBaseException

from tasks.config.model_names import NEEDED_GROUPS, OPTIONAL_GROUPS
from tasks.config.refusals import one_line, shown
from tasks.errors import PlanError

_MOST_VALUES = 100_000  # an alias of an alias of an alias is short to write and endless to read
_KINDS = (str, int, float, bool, type(None))


class CheckedFiles(FileConfigSource):
    """`file://`: as Hydra's own source, but a file that cannot be meant is a `PlanError`."""

    def load_config(self, config_path: str) -> ConfigResult:
        path = Path(self.path, self._normalize_file_name(config_path)).resolve()
        text = _text(path)
        values = _values(path, text)
        try:
            header = self._get_header_dict(text)
            config = OmegaConf.create(values)
        except OmegaConfBaseException as error:
            value = f"{error.full_key}={shown(getattr(error, 'value', '?'))}"
            raise PlanError(
                f"{path}: {value} cannot be read (${{KEY}} stands for another key); correct it"
            ) from None
        except ValueError:
            raise PlanError(
                f"{path}: a comment at its head begins with @ and is not '# @package NAME'; "
                "correct it"
            ) from None
        return ConfigResult(
            provider=self.provider, path=self.full_path(), config=config, header=header
        )


def register() -> None:
    """Let Hydra read files through `CheckedFiles`; its registry has no call that replaces one."""
    SourcesRegistry.instance().types[CheckedFiles.scheme()] = CheckedFiles


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{path} cannot be read ({error.strerror}); let it be read") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise PlanError(
            f"{path}, line {line} is not UTF-8 (byte {content[error.start]:#04x}); "
            "save the file as UTF-8"
        ) from None


@lru_cache(maxsize=512)
def _values(path: Path, text: str) -> dict[str, Any]:
    """The mapping that the file holds; empty for an empty file. Hydra reads most files once for
    each run of a sweep: change nothing in the mapping."""
    try:
        values = yaml.load(text, Loader=get_yaml_loader())
    except yaml.YAMLError as error:
        raise _malformed(path, error) from None
    except (ValueError, TypeError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise PlanError(f"{path} is not valid YAML: {one_line(why)}; correct it") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        what = "a list" if isinstance(values, list) else f"only the value {shown(values)}"
        raise PlanError(f"{path} holds {what}; write KEY: VALUE, one key a line")
    _Walk(path).check(values, "", ())
    _check_defaults(path, values.get("defaults", []))
    return values


def _malformed(path: Path, error: Any) -> PlanError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"{path}, line {mark.line + 1}" if mark else str(path)
    what = one_line(getattr(error, "problem", None) or str(error).splitlines()[0])
    cure = "correct that line" if mark else "correct it"
    if "duplicate key" in what:
        what, cure = f"{what.removeprefix('found ')} stands before", "leave one of the two out"
    elif "'\\t'" in what:
        what, cure = "a tab begins a value or indents", "use spaces"
    elif "special characters" in what:
        cure = "remove the control characters"
    return PlanError(f"{where} is not valid YAML: {what}; {cure}")


class _Walk:
    """Once through all values of a file."""

    def __init__(self, path: Path) -> None:
        self._path, self._num_values = path, 0

    def check(self, value: Any, key: str, above: tuple[int, ...]) -> None:
        """above: the mappings and lists that hold `value`, by `id`."""
        self._num_values += 1
        if id(value) in above:
            self._refuse(f"{key} refers to itself (an alias in its own anchor); write it out")
        if self._num_values > _MOST_VALUES:
            self._refuse(f"has more than {_MOST_VALUES:,} values, its aliases written out; shorten")
        if isinstance(value, dict):
            for name, entry in value.items():
                if not isinstance(name, str):
                    self._refuse(
                        f"the key {shown(name)} of {key or 'the file'} is not text; "
                        f"quote it, '{shown(name)}'"
                    )
                self.check(entry, f"{key}.{name}".lstrip("."), (*above, id(value)))
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                self.check(entry, f"{key}.{index}", (*above, id(value)))
        elif not isinstance(value, _KINDS):
            self._refuse(f"{key}={shown(value)} is neither text nor a number; give one of them")

    def _refuse(self, words: str) -> None:
        raise PlanError(f"{self._path}: {words}")


def _check_defaults(path: Path, defaults: Any) -> None:
    """The defaults list: names of files, and GROUP: NAME."""
    example = "such as [config, {override model: vit_b}, _self_]"
    if not isinstance(defaults, list):
        raise PlanError(f"{path}: defaults={shown(defaults)} is not a list; give one, {example}")
    for entry in defaults:
        if isinstance(entry, str) and entry.strip():
            continue
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise PlanError(
                f"{path}: defaults has the entry {shown(entry)}; give names of files and "
                f"GROUP: NAME, {example}"
            )
        ((group, name),) = entry.items()
        if problem := _no_choice(group, name):
            raise PlanError(f"{path}: defaults has {group}: {shown(name)}, {problem}; {example}")


def _no_choice(group: str, name: Any) -> str | None:
    """What is wrong with `group: name` of a defaults list."""
    own_group = group.rpartition(" ")[2].partition("@")[0].lstrip("/")
    if isinstance(name, list) and all(isinstance(one, str) for one in name):
        if own_group in (*NEEDED_GROUPS, *OPTIONAL_GROUPS):
            return "a list in place of a name; give one name"
        return None
    if name is None and own_group in NEEDED_GROUPS:
        return "which chooses nothing; give a name"
    return None if name is None or isinstance(name, str) else "which is no name; give one"
