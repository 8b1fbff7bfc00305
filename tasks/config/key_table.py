"""Every key that a user may set, in one line: its name, its default, and what its comment in
`conf/*.yaml` says. `--help` prints it; `python -m tasks.config.key_table` is for the docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.config.model_names import CONF_DIR

_KEYS_OF_GROUPS = ("task", "model", "data", "hardware", "meter")
_LAUNCHERS = ("local", "slurm")
_LINE = re.compile(r"^(?P<indent> *)(?P<key>\w+):(?P<value>.*?)(?:\s+# (?P<says>.*))?$")
_WITHOUT_KEYS = ("model.recipe", "model.options")  # free: described as a whole
_LONGEST_DEFAULT = 20
_FLAGS = """\
python run.py KEY=VALUE ...               one run
python run.py -m KEY=a,b ...              a sweep: every combination
  dry_run=true                            check it, say what it would cost, measure nothing
  --cfg job                               print the composed config
  --config-dir DIR, -cd DIR               a folder with configs of your own
  --config-name NAME, -cn NAME            a primary config of your own, see docs/settings.md
  --hydra-help                            Hydra's own flags
Options of a network or a data set: model.options.drop_rate=0.1
"""


@dataclass(frozen=True)
class Key:
    """name: dotted; default: as the file has it (of the meter `adaptive`), `...` where files
    differ, empty for a group of keys; says: the comment, empty where there is none; only: the
    files that have it, where not all of its group do."""

    name: str
    default: str
    says: str
    only: tuple[str, ...] = ()


def all_keys() -> list[Key]:
    """All of them, in the order of `conf/config.yaml`, then what single files add, then the
    launchers'. A key of several files is described by the first of them that has a comment."""
    by_name = {key.name: key for key in _keys_of(CONF_DIR / "config.yaml")}
    for group in _KEYS_OF_GROUPS:
        _add_files(by_name, group)
    for launcher in _LAUNCHERS:
        for key in _keys_of(CONF_DIR / "hydra" / "launcher" / f"{launcher}.yaml", "hydra.launcher"):
            by_name[key.name] = Key(key.name, key.default, key.says, (launcher,))
    return list(by_name.values())


def _add_files(by_name: dict[str, Key], group: str) -> None:
    """Keys that files of the group have and `conf/config.yaml` has not."""
    from_config = set(by_name)
    for path in sorted((CONF_DIR / group).glob("*.yaml")):
        for key in _keys_of(path, group):
            if key.name in from_config:
                continue
            before = by_name.get(key.name, key)
            default = before.default if group == "meter" or key.default == before.default else "..."
            by_name[key.name] = Key(
                key.name, default, before.says or key.says, (*before.only, path.stem)
            )


def _keys_of(path: Path, prefix: str = "") -> Iterator[Key]:
    """The keys of one YAML file; what Hydra alone reads is left out."""
    above: list[tuple[int, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        indent = len(match["indent"])
        while above and above[-1][0] >= indent:
            above.pop()
        above.append((indent, match["key"]))
        name = ".".join([*([prefix] if prefix else []), *(key for _, key in above)])
        is_hydras = not prefix and name.partition(".")[0] == "hydra"
        if is_hydras or above[0][1] == "defaults" or name.endswith("._target_"):
            continue
        if any(name.startswith(f"{free}.") for free in _WITHOUT_KEYS):
            continue
        yield Key(name, match["value"].strip(), match["says"] or "")


def groups() -> list[str]:
    """The groups that a user chooses from, in the order of the primary config's defaults list."""
    text = (CONF_DIR / "config.yaml").read_text(encoding="utf-8")
    return re.findall(r"^  - (\w+): ", text, flags=re.MULTILINE)


def choices(group: str) -> list[str]:
    """Names of the group's files."""
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


def help_text() -> str:
    """What `python run.py --help` prints: each key in one line."""
    lines = [_FLAGS, "Groups"]
    for group in groups():
        more = ", or any name that timm knows" if group == "model" else ""
        lines.append(f"  {group + '=':<12} {', '.join(choices(group))}{more}")
    lines.append("\nKeys, with their defaults")
    for key in all_keys():
        lines.append(f"  {f'{key.name}={_default(key)}':<44} {_says(key)}".rstrip())
    return "\n".join(lines)


def markdown() -> str:
    """The same keys as a table."""
    lines = ["| Key | Default | |", "|---|---|---|"]
    for key in all_keys():
        says = _says(key).replace("|", "\\|")
        lines.append(f"| `{key.name}` | {f'`{_default(key)}`' if _default(key) else ''} | {says} |")
    return "\n".join(lines)


def _default(key: Key) -> str:
    return "..." if len(key.default) > _LONGEST_DEFAULT else key.default


def _says(key: Key) -> str:
    is_common = len(key.only) > 3 or key.name.startswith("meter.")
    return key.says if is_common or not key.only else f"{key.says} ({', '.join(key.only)})"


if __name__ == "__main__":
    print(markdown())
