"""Names of models: this suite's YAML files, and timm's registry read without importing timm."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path

from tasks.errors import PlanError, unknown

CONF_DIR = Path(__file__).resolve().parents[2] / "conf"
NEEDED_GROUPS = ("data", "model", "hardware", "meter", "scale")
"""Groups of config files of which every run chooses one."""
OPTIONAL_GROUPS = ("task", "experiment", "switch")
_REGISTERED = re.compile(r"^@register_model\s*\ndef (\w+)\(", re.MULTILINE)
_TAGGED = re.compile(r"""^\s+['"](\w+\.\w+)['"]: """, re.MULTILINE)
_RENAMED = re.compile(
    r"^register_model_deprecations\(__name__, \{(.*?)\}\)", re.MULTILINE | re.DOTALL
)
_OLD_AND_NEW = re.compile(r"""['"](\w+)['"] ?: (None|['"][\w.]+['"])""")
_OF_TIMM = re.compile(r"(?:hf[-_]hub:)?timm/([\w.]+)")
_ELSEWHERE = re.compile(r"(hf[-_]hub|local-dir):(.+)")


@cache
def _timm_sources() -> tuple[str, ...]:
    """Importing timm takes seconds (it imports torch); `run.py --cfg job` must answer at once."""
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        return ()
    files = (Path(spec.origin).parent / "models").glob("*.py")
    return tuple(file.read_text(encoding="utf-8") for file in files)


@cache
def timm_names() -> frozenset[str]:
    """Every model function that timm registers, found in its source files."""
    return frozenset(name for text in _timm_sources() for name in _REGISTERED.findall(text))


@cache
def timm_renamed() -> dict[str, str | None]:
    """Names that timm had, with today's; None where the network was removed."""
    maps = (block for text in _timm_sources() for block in _RENAMED.findall(text))
    return {
        old: new.strip("'\"") if new != "None" else None
        for block in maps
        for old, new in _OLD_AND_NEW.findall(block)
    }


@cache
def timm_tags() -> frozenset[str]:
    """Every name with the tag of its published weights, such as `resnet50.a1_in1k`."""
    tagged = (name for text in _timm_sources() for name in _TAGGED.findall(text))
    return frozenset(name for name in tagged if name.split(".")[0] in timm_names())


def yaml_names() -> frozenset[str]:
    """Models that have a YAML file in `conf/model/`."""
    return frozenset(path.stem for path in (CONF_DIR / "model").glob("*.yaml"))


def timm_source(name: str) -> str | None:
    """What timm calls the network `name`; None where timm has none of that name.

    A tag after a dot stands for published weights and their preprocessing (`resnet50.a1_in1k`);
    `timm/...` and `hf-hub:timm/...` are the same name on the Hugging Face Hub; networks of others
    there (`hf-hub:OWNER/NAME`), and in a folder (`local-dir:FOLDER`), are as timm reads them.
    """
    if elsewhere := _ELSEWHERE.fullmatch(name):
        inner = _OF_TIMM.fullmatch(name)
        if inner is None or inner[1].split(".")[0] not in timm_names():
            return f"{elsewhere[1].replace('_', '-')}:{elsewhere[2]}"
    if inner := _OF_TIMM.fullmatch(name):
        name = inner[1]
    if "." in name:
        return name if name in timm_tags() or _is_tag_of_registry(name) else None
    return name if name in timm_names() else None


@cache
def _is_tag_of_registry(name: str) -> bool:
    """Tags that timm computes stand in none of its files: for those alone it is imported."""
    if name.split(".", maxsplit=1)[0] not in timm_names():
        return False
    from timm.models import get_pretrained_cfg

    try:
        return get_pretrained_cfg(name) is not None
    except RuntimeError:  # no tag of this network
        return False


def require_timm_name(name: str) -> None:
    """Raises `PlanError` naming the nearest when timm has no model `name`."""
    if timm_source(name) is None:
        if words := renamed(name):
            raise PlanError(words)
        raise unknown_model(name, "see python run.py --help")


def unknown_model(name: str, cure: str) -> PlanError:
    """With the nearest names: the one that differs in capitals and marks alone (`ResNet-50`), tags
    of its network, a name within it (`torchvision.models.resnet50`), else any. cure: where none is
    near."""
    parts = name.rsplit("/", maxsplit=1)[-1].split(".")
    tags = [tag for tag in timm_tags() if tag.startswith(f"{parts[0]}.")] if parts[1:] else []
    known = yaml_names() | timm_names()
    plain = _plain(name.rsplit("/", maxsplit=1)[-1])
    if alike := sorted(one for one in known if _plain(one) == plain):
        return PlanError(f"model '{name}' is unknown; did you mean {' or '.join(alike)}?")
    if not tags and parts[1:] and parts[-1] in known:
        return PlanError(f"model '{name}' is unknown; did you mean {parts[-1]}?")
    return unknown("model", name, tags or sorted(known), cure)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def renamed(name: str) -> str | None:
    """What to say of a name that timm no longer has; None of any other."""
    old = name.rsplit("/", maxsplit=1)[-1]
    if old not in timm_renamed():
        return None
    new = timm_renamed()[old]
    if new is None:
        return f"model '{name}' was removed from timm; choose another"
    new = new if timm_source(new) is not None else new.split(".", maxsplit=1)[0]
    return f"model '{name}' is now called {new} in timm; write model={new}"
