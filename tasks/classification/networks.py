"""timm networks for classification: built, counted, and given their optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metering.record import ModelFacts
from tasks.classification import training as trainings
from tasks.errors import PlanError
from tasks.network_facts import gmacs, params_m
from tasks.plan import Plan

if TYPE_CHECKING:
    import torch


def model_facts(plan: Plan) -> ModelFacts:
    """Parameters and GMACs of one image, counted on the meta device (nothing is computed)."""
    import torch
    import torch._dynamo  # its first import fails inside a device context, where timm triggers it

    size = input_size(plan)
    with torch.device("meta"):
        model = build(plan, with_checkpoint=False)
    shape = (3, size, size)
    return ModelFacts(params_m(model), gmacs(model, model, (1, *shape), symbolic=False), shape)


def input_size(plan: Plan) -> int:
    """Pixels of the square input: the plan's, else the network's own."""
    return plan.model.input_size or int(data_config(plan)["input_size"][-1])


def data_config(plan: Plan) -> dict[str, Any]:
    from timm.data import resolve_data_config
    from timm.models import get_pretrained_cfg

    found = get_pretrained_cfg(plan.model.source)
    return resolve_data_config(pretrained_cfg=found.to_dict() if found else {})


def build(plan: Plan, with_checkpoint: bool = True) -> torch.nn.Module:
    import timm
    from timm.models import get_pretrained_cfg

    options = dict(plan.model.options)
    own = get_pretrained_cfg(plan.model.source)
    wanted = plan.model.input_size
    if own is not None and wanted and own.fixed_input_size and own.input_size[-1] != wanted:
        options["img_size"] = wanted
    try:
        model: torch.nn.Module = timm.create_model(
            plan.model.source, num_classes=plan.data.options["num_classes"], **options
        )
    except TypeError as error:
        raise PlanError(
            f"model.options={options} does not fit {plan.model.source}: {error}"
        ) from None
    if with_checkpoint and plan.model.checkpoint is not None:
        load(model, plan.model.checkpoint)
    return model


def load(model: torch.nn.Module, checkpoint: str) -> None:
    """The file's weights into `model`, each of them. Raises `PlanError` where they do not fit."""
    from timm.models import load_checkpoint

    try:
        load_checkpoint(model, checkpoint)
    except (RuntimeError, ValueError, KeyError) as error:
        said = " ".join(str(error).split())[:300]
        raise PlanError(
            f"checkpoint={checkpoint} does not fit the model: {said}; give weights of this model"
        ) from None


def optimizer(model: torch.nn.Module, setup: trainings.Training, batch_size: int) -> Any:
    from timm.optim import create_optimizer_v2

    further: dict[str, Any] = {"betas": setup.betas} if setup.betas else {}
    return create_optimizer_v2(
        model,
        opt=setup.optimizer,
        lr=setup.lr * batch_size / setup.lr_batch_size,
        weight_decay=setup.weight_decay,
        **further,
    )
