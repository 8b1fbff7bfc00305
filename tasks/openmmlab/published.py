"""`checkpoint=pretrained`: the weights that a library publishes for one of its configs (its
metafiles name them), or those that a config itself names (`load_from`), as a file on this machine.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from filelock import FileLock

from tasks.config import weight_files
from tasks.config.weight_files import PRETRAINED
from tasks.errors import PlanError
from tasks.openmmlab.configs import config_folder, load_config
from tasks.plan import Plan


def check(plan: Plan, config: Path, package: str) -> None:
    """Raises `PlanError` where `checkpoint=pretrained` names no weights, or others than a file has
    are asked for. config: its file."""
    if plan.model.checkpoint_weights != "plain":
        raise PlanError(
            f"checkpoint_weights={plan.model.checkpoint_weights} is for files of timm; MMEngine "
            "saves averaged weights as the state_dict itself: leave it out"
        )
    if plan.model.checkpoint == PRETRAINED:
        place_of(plan, config, package)


def with_file(plan: Plan, config: Path, package: str) -> Plan:
    """The plan with a file in place of `pretrained`, fetched where it is not here yet. Raises
    `PlanError`."""
    if plan.model.checkpoint != PRETRAINED:
        return plan
    file = _local(plan, place_of(plan, config, package))
    weight_files.check(str(file))
    return dataclasses.replace(plan, model=dataclasses.replace(plan.model, checkpoint=str(file)))


def place_of(plan: Plan, config: Path, package: str) -> str:
    """URL or path of the weights. Raises `PlanError` where there are none."""
    place = _published(config, package) or _named_by(plan, config, package)
    if place is None:
        raise PlanError(
            f"checkpoint=pretrained: no weights are published for {config.stem}, and it names none "
            "(load_from); give checkpoint=FILE"
        )
    return place


def _published(config: Path, package: str) -> str | None:
    """What the metafile beside a config of the library says."""
    if not config.is_relative_to(config_folder(package)):
        return None
    for metafile in config.parent.glob("metafile.y*ml"):
        for entry in _models(metafile):
            if Path(str(entry.get("Config"))).stem == config.stem and entry.get("Weights"):
                return str(entry["Weights"])
    return None


def _models(metafile: Path) -> list[dict[str, Any]]:
    content = yaml.safe_load(metafile.read_text(encoding="utf-8"))
    models = content.get("Models") if isinstance(content, dict) else content
    return [entry for entry in models or () if isinstance(entry, dict)]


def _named_by(plan: Plan, config: Path, package: str) -> str | None:
    named = load_config(str(config), package, plan.model, imports=False).get("load_from")
    if not named:
        return None
    if urlsplit(str(named)).scheme in ("http", "https"):
        return str(named)
    for folder in (Path(), config.parent):
        if (file := folder / Path(str(named)).expanduser()).is_file():
            return str(file.absolute())
    raise PlanError(
        f"checkpoint=pretrained: {config} names load_from={named}, which is no file here; put it "
        "there, or give checkpoint=FILE"
    )


def _local(plan: Plan, place: str) -> Path:
    from torch.hub import HASH_REGEX, download_url_to_file, get_dir

    if urlsplit(place).scheme not in ("http", "https"):
        return Path(place)
    file = Path(get_dir()) / "checkpoints" / Path(urlsplit(place).path).name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            if not file.is_file():
                named = HASH_REGEX.search(file.name)  # the beginning of its SHA-256
                download_url_to_file(place, str(file), named and named[1], progress=False)
    except (OSError, RuntimeError) as error:  # no network, no room, or another file
        raise PlanError(
            f"checkpoint=pretrained of model={plan.model.name} needs {place}, which could not be "
            f"fetched ({error}); put it beforehand at {file}, or give checkpoint=FILE"
        ) from None
    return file
