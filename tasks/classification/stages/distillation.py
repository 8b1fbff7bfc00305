"""Hard distillation (Touvron 2021, Eq. 3): the student also learns its teacher's decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.classification import networks as models
from tasks.classification import training
from tasks.classification.stages.step import Step, freeze
from tasks.classification.stages.supervised import loss_of_labels
from tasks.plan import Plan

if TYPE_CHECKING:
    from torch import nn

TEACHER = "regnety_160"  # RegNetY-16GF: Touvron 2021, section 5; Li 2022, section 4
RANDOM_TEACHER = "the teacher has random weights: its forward pass costs what a trained one's"


def step(plan: Plan) -> Step:
    """Half the loss from the labels, half from the teacher's hard decisions on the same images."""
    setup = training.named(plan.model.training)
    return Step(_network(plan, loss_of_labels(setup)), setup, notes=(RANDOM_TEACHER,))


def _network(plan: Plan, criterion: Any) -> nn.Module:
    import timm
    import torch
    from torch import nn
    from torch.nn import functional

    class Distillation(nn.Module):
        """Student and teacher; the output is the loss of both heads."""

        def __init__(self, student: nn.Module, teacher: nn.Module) -> None:
            super().__init__()
            self.student, self.teacher = student, freeze(teacher)

        def train(self, mode: bool = True) -> Distillation:
            super().train(mode)
            self.teacher.eval()
            return self

        def forward(self, images: Any, targets: Any) -> Any:
            with torch.no_grad():
                decisions = self.teacher(images).argmax(dim=1)
            own, distilled = self.student(images)
            taught = functional.cross_entropy(distilled, decisions)
            return 0.5 * criterion(own, targets) + 0.5 * taught

    student: Any = models.build(plan)
    student.set_distilled_training(True)
    teacher = timm.create_model(TEACHER, num_classes=plan.data.options["num_classes"])
    return Distillation(student, teacher)
