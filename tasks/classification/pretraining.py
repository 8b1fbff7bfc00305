"""Which step a stage of a classification recipe takes; the methods are in `stages/`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from metering.ranks import Ranks
from metering.record import ModelFacts
from tasks.classification import networks as models
from tasks.classification import training as trainings
from tasks.classification import weights
from tasks.classification.stages import beit, clip, distillation, larger_set, mae, supervised
from tasks.classification.stages.step import Step
from tasks.config.stages import DISTILL, PRETRAIN, SUPERVISED
from tasks.config.weight_files import PRETRAINED
from tasks.errors import PlanError, unknown
from tasks.plan import Plan

# the timm networks that a method knows the pre-training form of
SELF_SUPERVISED = {
    "mae": tuple(mae.CONFIGS),
    "beit": ("beit_base_patch16_224", "beit_large_patch16_224"),
    "beitv2": ("beitv2_base_patch16_224", "beitv2_large_patch16_224"),
    "clip": tuple(clip.MODELS),
}


def check(plan: Plan) -> None:
    """Raises `PlanError` when the stage cannot be run with this network."""
    known = SELF_SUPERVISED.get(plan.stage)
    if known is not None and plan.model.source not in known:
        raise PlanError(
            f"stage={plan.stage} is known for {', '.join(known)}, not for "
            f"model.source={plan.model.source}; choose one of them"
        )
    if plan.stage == "clip" and plan.accumulation_steps > 1:
        raise PlanError(
            f"accumulation_steps={plan.accumulation_steps} changes stage=clip, which tells the "
            "images of a batch from each other; use accumulation_steps=1"
        )
    for index, stage in enumerate(plan.model.recipe):
        if stage.workload not in _STEPS:
            raise unknown(
                f"model.recipe.{index}.workload",
                stage.workload,
                _STEPS,
                f"use one of {', '.join(_STEPS)}",
            )
    if plan.stage == PRETRAIN:
        larger_set.num_classes(plan)


def step(plan: Plan, ranks: Ranks, device: Any) -> Step:
    """The step of the plan's stage: network, loss, optimizer's settings, targets."""
    return _STEPS[plan.stage](plan, ranks, device)


def _supervised(plan: Plan, device: Any) -> Step:
    plain_step = supervised.step(plan, device)
    if any(stage.name == "teacher" for stage in plan.model.recipe):
        note = f"the teacher's forward pass is not part of this step; stage={DISTILL} has it"
        return dataclasses.replace(plain_step, notes=(*plain_step.notes, note))
    return plain_step


_STEPS: dict[str, Callable[[Plan, Ranks, Any], Step]] = {
    SUPERVISED: lambda plan, _, device: _supervised(plan, device),
    PRETRAIN: lambda plan, _, device: larger_set.step(plan, device),
    DISTILL: lambda plan, _, __: distillation.step(plan),
    "mae": lambda plan, _, __: mae.step(plan),
    "beit": lambda plan, _, __: beit.step(plan),
    "beitv2": lambda plan, _, __: beit.step_v2(plan),
    "clip": lambda plan, ranks, _: clip.step(plan, ranks),
}


def tried(plan: Plan) -> tuple[Plan, trainings.Training]:
    """The plan whose network a trial pass is made of, and its training set-up."""
    used = larger_set.plan_of(plan) if plan.stage == PRETRAIN else plan
    return used, trainings.named(plan.model.training)


def restore(step: Step, plan: Plan) -> None:
    """The checkpoint's weights again, after a phase of training."""
    if plan.model.checkpoint == PRETRAINED:
        fresh = models.build(plan)
        step.network.load_state_dict(fresh.state_dict())
    else:
        weights.load(step.network, plan)


def notes_on_weights(step: Step, plan: Plan) -> tuple[str, ...]:
    """Which weights the step begins with, where they are given."""
    network = getattr(step.network, "student", step.network)
    return tuple(filter(None, [weights.note(plan, network)]))


def num_classes(plan: Plan) -> int:
    """Size of the head that the stage trains."""
    used = larger_set.plan_of(plan) if plan.stage == PRETRAIN else plan
    return int(used.data.options["num_classes"])


def facts(plan: Plan, step: Step) -> ModelFacts:
    """Counted on the timm network; for a self-supervised method, the parameters of all that its
    step holds (encoder, decoder or second tower, tokenizer), and its whole forward pass."""
    if plan.stage in SELF_SUPERVISED:
        params = sum(parameter.numel() for parameter in step.network.parameters())
        size = models.input_size(plan)
        return ModelFacts(params / 1e6, _gmacs(step, size), (3, size, size))
    return models.model_facts(larger_set.plan_of(plan) if plan.stage == PRETRAIN else plan)


def _gmacs(step: Step, size: int) -> float:
    """GMACs of one image's way to the loss; an image is computed, for masks decide the shapes."""
    import numpy as np
    import torch

    from tasks.network_facts import gmacs

    image = (np.zeros((3, size, size), np.uint8), 0)
    targets = step.collate([image])[1] if step.collate else torch.zeros(1, dtype=torch.int64)
    targets = targets.to(next(step.network.parameters()).device)

    def forward(images: Any) -> Any:
        return step.loss(step.network, images, targets)

    with torch.random.fork_rng():
        return gmacs(step.network, forward, (1, 3, size, size), symbolic=False)
