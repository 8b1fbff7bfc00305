"""OpenMMLab configs: found by name in the installed wheels, freed of downloads, derived."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.config import own_modules
from tasks.errors import PlanError, unknown
from tasks.plan import ModelPlan

if TYPE_CHECKING:
    from mmengine.config import Config

_DOWNLOADS = ("load_from", "resume_from")


def config_folder(package: str) -> Path:
    """Where the wheel of `package` (`mmseg`, `mmaction`, ...) keeps its configs."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise PlanError(
            f"package {package} is not installed; install it, for instance by make test"
        )
    return Path(spec.origin).parent / ".mim" / "configs"


def config_path(name_or_path: str, package: str) -> Path:
    """The file of a config given as a path, a path under the wheel's configs, or a bare name.

    Raises `PlanError` with the nearest names when there is none.
    """
    given = Path(name_or_path).expanduser()
    if given.suffix == ".py" and given.is_file():
        return given
    folder = config_folder(package)
    wanted = name_or_path if name_or_path.endswith(".py") else f"{name_or_path}.py"
    if (folder / wanted).is_file():
        return folder / wanted
    known = {path.name: path for path in folder.rglob("*.py") if "_base_" not in path.parts}
    if wanted in known:
        return known[wanted]
    if given.suffix == ".py" and (
        given.is_absolute() or (len(given.parts) > 1 and given.parent.is_dir())
    ):
        raise PlanError(
            f"the config {name_or_path} does not exist; correct the path in model.config (in a "
            "model's file: source)"
        )
    names = [name.removesuffix(".py") for name in known]
    raise unknown("model.source", Path(wanted).stem, names, f"list the configs in {folder}")


def load_config(
    name_or_path: str, package: str, model: ModelPlan | None = None, *, imports: bool = True
) -> Config:
    """The config with its bases merged, once what it names as `custom_imports` is imported, and
    before that the modules of `model` (`model.import`), from its folder too (`model.path`).

    imports: whether to import anything. Raises `PlanError` if it is unknown or not readable.
    """
    from mmengine.config import Config

    path = config_path(name_or_path, package)
    if model is not None and imports:
        own_modules.use_folder(model.path)
        for module in model.imports:
            own_modules.imported(module, model.path)
    try:
        return Config.fromfile(path, import_custom_modules=imports)
    except Exception as error:  # a config is a program: it may raise anything
        cause = (str(error).splitlines() or [""])[0]
        raise PlanError(
            f"model.source={path} is not a readable config: {type(error).__name__}: {cause}"
        ) from None


def without_downloads(config: Config) -> None:
    """Take out every pretrained weight: random initialisation, nothing is fetched.

    Random initialisers in `init_cfg` (normal, constant, ...) stay as the source has them.
    """
    for key in _DOWNLOADS:
        if key in config:
            config[key] = None
    for node in dicts(config._cfg_dict):
        if isinstance(node.get("pretrained"), str):
            node["pretrained"] = None
        if "init_cfg" in node:
            node["init_cfg"] = _random_only(node["init_cfg"])


def _random_only(initialiser: Any) -> Any:
    if isinstance(initialiser, list):
        kept = [entry for entry in initialiser if entry.get("type") != "Pretrained"]
        return kept or None
    if isinstance(initialiser, dict) and initialiser.get("type") == "Pretrained":
        return None
    return initialiser


def dicts(node: Any) -> Iterator[dict[str, Any]]:
    """Every dict in a tree of dicts, lists and tuples, parents first."""
    if isinstance(node, dict):
        yield node
        children: Any = list(node.values())
    elif isinstance(node, list | tuple):
        children = node
    else:
        return
    for child in children:
        yield from dicts(child)


def replace_values(config: Config, key: str, change: Callable[[Any], Any]) -> None:
    """Every value stored under `key`, anywhere in the config, becomes `change(value)`."""
    for node in dicts(config._cfg_dict):
        if key in node:
            node[key] = change(node[key])


def apply_overrides(config: Config, overrides: dict[str, Any]) -> None:
    """Set dotted keys (`model.decode_head.num_classes: 19`), as MMEngine's `--cfg-options` does.

    Raises `PlanError` where MMEngine refuses one.
    """
    try:
        config.merge_from_dict(dict(overrides))
    except (KeyError, TypeError, IndexError) as error:
        raise PlanError(f"model.options.overrides={overrides} cannot be set: {error}") from None
