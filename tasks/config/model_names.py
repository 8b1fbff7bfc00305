"""Names of models: this suite's YAML files, and timm's registry read without importing timm."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from tasks.errors import unknown

CONF_DIR = Path(__file__).resolve().parents[2] / "conf"
_REGISTERED = re.compile(r"^@register_model\s*\ndef (\w+)\(", re.MULTILINE)


@cache
def timm_names() -> frozenset[str]:
    """Every model function that timm registers, found in its source files.

    Importing timm takes seconds (it imports torch); `run.py --cfg job` must answer at once.
    """
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        return frozenset()
    files = (Path(spec.origin).parent / "models").glob("*.py")
    return frozenset(
        name for file in files for name in _REGISTERED.findall(file.read_text(encoding="utf-8"))
    )


def yaml_names() -> frozenset[str]:
    """Models that have a YAML file in `conf/model/`."""
    return frozenset(path.stem for path in (CONF_DIR / "model").glob("*.yaml"))


def require_timm_name(name: str) -> None:
    """Raises `PlanError` naming the nearest when timm has no model `name`.

    A pretrained tag after a dot (`resnet50.a1_in1k`) is allowed and names the same network.
    """
    if name.split(".", maxsplit=1)[0] not in timm_names():
        raise unknown("model", name, yaml_names() | timm_names(), "see python run.py --help")
