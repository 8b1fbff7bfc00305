"""The plain step: forward, loss against labels, backward. Training from scratch and fine-tuning."""

from __future__ import annotations

from typing import Any

from tasks.classification import answers
from tasks.classification import networks as models
from tasks.classification import training as trainings
from tasks.classification.stages.step import Step
from tasks.plan import Plan


def step(plan: Plan, device: Any) -> Step:
    """timm's network, made on `device` (drawing a large one's weights takes long on a CPU)."""
    setup = trainings.named(plan.model.training)
    criterion = loss_of_labels(setup)

    def loss(network: Any, images: Any, targets: Any) -> Any:
        return answers.loss(criterion, network(images), targets)

    with device:
        network = models.build(plan)
    return Step(network, setup, loss)


def loss_of_labels(setup: trainings.Training) -> Any:
    """Cross-entropy, against soft targets where images are mixed."""
    import torch
    from timm.loss import SoftTargetCrossEntropy

    if setup.mixup or setup.cutmix:
        return SoftTargetCrossEntropy()
    return torch.nn.CrossEntropyLoss(label_smoothing=setup.label_smoothing)
