"""Networks for classification: timm's and the user's own; built, counted, given their optimizer."""

from __future__ import annotations

import inspect
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from metering.record import ModelFacts
from tasks.classification import training as trainings
from tasks.classification import weights
from tasks.config import own_modules
from tasks.config.weight_files import PRETRAINED
from tasks.errors import PlanError
from tasks.network_facts import gmacs, params_m
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch

_DEFAULTS = {"input_size": (3, 224, 224)}  # of a network that has no settings of its own


def model_facts(plan: Plan) -> ModelFacts:
    """Parameters and GMACs of one image, counted on the meta device (nothing is computed); of a
    network of the user's own that looks at numbers, on a computed image."""
    size = input_size(plan)
    shape = (3, size, size)
    model = build_without_weights(plan)
    try:
        macs = gmacs(model, model, (1, *shape), symbolic=False)
    except Exception:  # a network raises anything for numbers that are not there
        if not is_own(plan):
            raise
        model = build(plan, with_checkpoint=False)
        macs = gmacs(model, model, (1, *shape), symbolic=False)
    return ModelFacts(params_m(model), macs, shape)


def is_own(plan: Plan) -> bool:
    """Whether code of the user's makes the network."""
    return own_modules.callable_name(plan.model.source) is not None or bool(plan.model.imports)


def build_without_weights(plan: Plan) -> torch.nn.Module:
    """The network on the meta device: names, shapes and sizes, no numbers. One of the user's own
    that cannot be made there is made on the CPU."""
    import torch
    import torch._dynamo  # its first import fails inside a device context, where timm triggers it

    try:
        with torch.device("meta"):
            return build(plan, with_checkpoint=False)
    except (NotImplementedError, RuntimeError):
        if own_modules.callable_name(plan.model.source) is None:
            raise
    try:
        return build(plan, with_checkpoint=False)
    except RuntimeError as error:
        raise _not_made(plan, error) from error


def input_size(plan: Plan, *, for_test: bool = False) -> int:
    """Pixels of the square input: the plan's, else the network's own."""
    return plan.model.input_size or int(data_config(plan, for_test=for_test)["input_size"][-1])


def data_config(plan: Plan, *, for_test: bool = False) -> dict[str, Any]:
    """Size, mean, crop and interpolation, as timm's training and validation resolve them; a network
    without settings of its own has timm's defaults."""
    from timm.data import resolve_data_config

    size = plan.model.input_size
    asked = {} if size is None else {"img_size": size}
    return resolve_data_config(asked, pretrained_cfg=_settings(plan), use_test_size=for_test)


def _settings(plan: Plan) -> dict[str, Any]:
    """timm's `pretrained_cfg` of the network, as values."""
    from timm.models import get_pretrained_cfg

    source = plan.model.source
    if own_modules.callable_name(source) is not None:
        return dict(_DEFAULTS)
    if ":" in source:
        return _settings_elsewhere(source)
    for module in plan.model.imports:
        own_modules.imported(module, plan.model.path)
    known = get_pretrained_cfg(source)
    return known.to_dict() if known else dict(_DEFAULTS)


@cache
def _settings_elsewhere(source: str) -> dict[str, Any]:
    """Of a network on the Hugging Face Hub or in a folder. Raises `PlanError`."""
    from timm.models import load_model_config_from_hf
    from timm.models._hub import load_model_config_from_path

    kind, _, place = source.partition(":")
    load = load_model_config_from_hf if kind == "hf-hub" else load_model_config_from_path
    try:
        settings: dict[str, Any] = load(place)[0]
    except Exception as error:  # whatever the hub's client raises without a network
        if kind == "local-dir":
            raise PlanError(
                f"model={source} needs {place}/config.json, which cannot be read "
                f"({one_line(error)}); name a folder that timm's save_for_hf wrote"
            ) from error
        raise _not_fetched(f"model={source} needs the config.json of {place}", error) from error
    return settings


def build(plan: Plan, with_checkpoint: bool = True) -> torch.nn.Module:
    """The network with the head of the plan's data, and the checkpoint's weights. Raises
    `PlanError`."""
    for module in plan.model.imports:
        own_modules.imported(module, plan.model.path)
    if own_modules.callable_name(plan.model.source) is not None:
        network = _own(plan)
    else:
        network = _of_timm(plan, with_checkpoint and plan.model.checkpoint == PRETRAINED)
    if with_checkpoint and plan.model.checkpoint not in (None, PRETRAINED):
        weights.load(network, plan)
    return network


def _own(plan: Plan) -> torch.nn.Module:
    import torch

    source, options = plan.model.source, dict(plan.model.options)
    make = own_modules.callable_of(source, plan.model.path)
    try:
        network = _called(make, options, plan.data.options["num_classes"])
    except TypeError as error:
        raise PlanError(
            f"model.source={source} cannot be called with {options}: {error}; set model.options"
        ) from error
    except (RuntimeError, MemoryError):  # of the device that it is made on
        raise
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        raise _not_made(plan, error) from error
    if not isinstance(network, torch.nn.Module):
        raise PlanError(
            f"model.source={source} gives a {type(network).__name__}, not a torch.nn.Module; name "
            "what makes the network"
        )
    _fill_lazy_modules(network, plan.model.input_size or _DEFAULTS["input_size"][-1])
    return network


def _called(make: Any, options: dict[str, Any], num_classes: int) -> Any:
    """With num_classes where it takes that, also among further arguments (`**kwargs`)."""
    taken = inspect.signature(make).parameters
    if "num_classes" in taken:
        options.setdefault("num_classes", num_classes)
    elif any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values()):
        with suppress(TypeError):  # of one that hands them to what does not take it
            return make(**({"num_classes": num_classes} | options))
    return make(**options)


def _not_made(plan: Plan, error: BaseException) -> PlanError:
    why = f"{type(error).__name__}: {one_line(error)}"
    return PlanError(f"model.source={plan.model.source} cannot be made: {why}; correct its code")


def _fill_lazy_modules(network: torch.nn.Module, size: int) -> None:
    """PyTorch's lazy modules get their sizes from a first batch, which has to come before an
    optimizer; here it is one image of zeros that trains nothing."""
    import itertools

    import torch
    from torch.nn.parameter import is_lazy

    tensors = itertools.chain(network.parameters(), network.buffers())
    if not any(is_lazy(tensor) for tensor in tensors):
        return
    was_training = network.training
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, size, size))
    network.train(was_training)


def _of_timm(plan: Plan, pretrained: bool) -> torch.nn.Module:
    import timm
    import torch

    source, options = plan.model.source, dict(plan.model.options)
    own, wanted = _settings(plan), plan.model.input_size
    if wanted and own.get("fixed_input_size") and own["input_size"][-1] != wanted:
        options["img_size"] = wanted
    num_classes = plan.data.options["num_classes"]
    if pretrained and (published := own.get("num_classes")) != num_classes:
        raise PlanError(
            f"checkpoint=pretrained of model={plan.model.name} has {published} classes, and "
            f"data={plan.data.name} has {num_classes}; give a checkpoint for these classes"
        )
    try:
        made = timm.create_model(source, pretrained=pretrained, num_classes=num_classes, **options)
        _require_kinds(made, options)
        return made
    except PlanError:
        raise
    except TypeError as error:
        raise PlanError(
            f"model.options={options} does not fit {source}: {one_line(error)}; change them"
        ) from None
    except (RuntimeError, OSError) as error:
        if pretrained:
            raise _not_fetched(f"checkpoint=pretrained needs weights of {source}", error) from error
        if torch.empty(0).device.type != "meta":
            raise  # the device's memory, say
        raise _not_built(source, wanted, options, error) from None
    except Exception as error:  # timm raises anything for options that cannot be
        raise _not_built(source, wanted, options, error) from None


def _require_kinds(network: torch.nn.Module, options: dict[str, Any]) -> None:
    """Raises `PlanError` for what Python takes for another value in silence: the text `no` for
    true, `true` for 1."""
    taken = inspect.signature(type(network).__init__).parameters
    for option, value in options.items():
        default = taken[option].default if option in taken else None
        if isinstance(default, bool) and isinstance(value, str):
            raise PlanError(f"model.options.{option}={value} is a text; write true or false")
        if isinstance(value, bool) and isinstance(default, int) and not isinstance(default, bool):
            raise PlanError(f"model.options.{option}={value} is no number; give one")


def _not_built(
    source: str, size: int | None, options: dict[str, Any], error: Exception
) -> PlanError:
    why = one_line(error)
    if not isinstance(error, AssertionError | ValueError):
        why = f"{type(error).__name__}: {why}"
    return PlanError(
        f"model={source} cannot be built with model.input_size={size} and "
        f"model.options={options}: {why}; change them"
    )


def _not_fetched(what: str, error: BaseException) -> PlanError:
    from huggingface_hub.constants import HF_HUB_CACHE
    from torch.hub import get_dir

    return PlanError(
        f"{what}, which are neither on this machine nor could be fetched ({one_line(error)}); "
        f"fetch them where there is a network and copy {HF_HUB_CACHE} (or "
        f"{get_dir()}/checkpoints) here, or give checkpoint=FILE"
    )


def one_line(error: BaseException) -> str:
    """The beginning of what an error says."""
    message = " ".join(str(error).split()) or type(error).__name__
    return message if len(message) <= 160 else f"{message[:157]}..."


def average(model: torch.nn.Module, decay: float) -> Any:
    """timm's moving average of the weights, on the model's device; each step updates it."""
    from timm.utils import ModelEmaV3

    return ModelEmaV3(model, decay=decay)


def optimizer(model: torch.nn.Module, setup: trainings.Training, batch_size: int) -> Any:
    from timm.optim import create_optimizer_v2

    further: dict[str, Any] = {"betas": setup.betas} if setup.betas else {}
    if setup.layer_decay is not None:
        further["layer_decay"] = setup.layer_decay
    return create_optimizer_v2(
        model,
        opt=setup.optimizer,
        lr=setup.lr * batch_size / setup.lr_batch_size,
        weight_decay=setup.weight_decay,
        **further,
    )
