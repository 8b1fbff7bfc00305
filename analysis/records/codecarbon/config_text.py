"""A Hydra config as flat texts: `model.name` to `vit_b`, with its references resolved.

Every scalar is read as text: a date that is none, or a number of 5,000 digits, is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from metering.json_values import shown
from metering.record import RecordError

_NULL = frozenset(("", "~", "null", "none", "???"))


def read_texts(path: Path) -> Mapping[str, Any]:
    """A YAML file as nested texts. Raises `RecordError` with one line, or `OSError`."""
    import yaml

    class Texts(yaml.BaseLoader):
        """Every scalar as its text: a date that is none, or a number of 5,000 digits, is one."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            mapping = super().construct_mapping(node, deep)
            if len(mapping) != len(node.value):
                names = [key.value for key, _ in node.value]
                twice = next((name for name in names if names.count(name) > 1), "<<")
                line = node.start_mark.line + 1
                raise RecordError(f"a key stands twice: {twice}, in the group at line {line}")
            return mapping

    text = path.read_bytes()
    try:
        config = yaml.load(text, Texts)
    except RecordError:
        raise
    except Exception as error:  # nesting, escapes and directives make Python's own errors
        why = " ".join(str(error).split()) or type(error).__name__
        raise RecordError(f"it is not YAML: {why}") from None
    if isinstance(config, list):
        return {str(at): value for at, value in enumerate(config)}
    return config if isinstance(config, dict) else {}


def flat_texts(config: Any, prefix: str = "") -> dict[str, str]:
    """`model.name: vit_b`; null and missing values are left out."""
    if isinstance(config, Mapping):
        pairs: Iterable[tuple[Any, Any]] = config.items()
    elif isinstance(config, list):
        pairs = enumerate(config)
    else:
        return {} if str(config).lower() in _NULL else {prefix: _text(prefix, str(config))}
    flat: dict[str, str] = {}
    for name, value in pairs:
        flat |= flat_texts(value, f"{prefix}.{name}" if prefix else str(name))
    return flat


def _text(key: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # YAML's escapes can make half a character
        raise RecordError(f"{key}: {shown(value)} is not text") from None
    return value


def resolved(flat: dict[str, str]) -> dict[str, str]:
    """`${model.name}` as what it refers to; what Hydra alone can resolve is left out."""
    texts: dict[str, str] = {}
    for key, written in flat.items():
        value = written
        for _ in range(4):
            if not (match := re.fullmatch(r"\$\{([\w.]+)\}", value)):
                break
            value = flat.get(match[1], "${}")
        if "${" not in value:
            texts[key] = value
    return texts


def job_number(config: Path) -> int | None:
    """Of the job in its sweep, as `hydra.yaml` beside `config` says; None where it does not."""
    try:
        hydra = flat_texts(read_texts(config.with_name("hydra.yaml")))
    except (OSError, RecordError):
        return None
    number = hydra.get("hydra.job.num", "")
    return int(number) if number.isdecimal() else None
