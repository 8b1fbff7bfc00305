"""What people call their model, data and batch size."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.codecarbon.config_names import facts_of
from analysis.records.codecarbon.rows import label_of
from tests.analysis.records.codecarbon.logs import a_config


@pytest.mark.parametrize(
    ("config", "model"),
    [
        ("model: vit_b", "vit_b"),
        ("model: {name: vit_b}", "vit_b"),
        ("model: {_target_: timm.create_model, model_name: vit_b}", "vit_b"),
        ("model: {_target_: src.LitModule, net: {_target_: src.nets.SimpleNet}}", "SimpleNet"),
        ("model: {_target_: torchvision.models.resnet18}", "resnet18"),
        ("arch: resnet18", "resnet18"),
        ("model: {arch: Unet, encoder_name: resnet34}", "Unet-resnet34"),
        ("lit: {hparams: {model_name: vit_b}}", "vit_b"),
        ("network: x\nmodel: {name: '${network}'}", "x"),
        ("model: {hidden: 3}", None),
    ],
)
def test_the_model(tmp_path: Path, config: str, model: str | None) -> None:
    assert facts_of(a_config(tmp_path, config)).model == model


def test_hydras_own_choice_names_what_the_config_does_not(tmp_path: Path) -> None:
    path = a_config(tmp_path, "lr: 0.1")
    a_config(tmp_path, "hydra: {runtime: {choices: {model: vit, data: digits}}}", "hydra.yaml")
    assert (facts_of(path).model, facts_of(path).data) == ("vit", "digits")


def test_an_override_names_the_model_too(tmp_path: Path) -> None:
    path = a_config(tmp_path, "lr: 0.1")
    a_config(tmp_path, "- model=swin_t\n- lr=0.1\n", "overrides.yaml")
    assert facts_of(path).model == "swin_t"


@pytest.mark.parametrize(
    ("config", "batch_size"),
    [
        ("batch_size: 8\ndata: {batch_size: 16}", 8),
        ("trainer: {batch_size: 16}", 16),
        ("train: {batch_size: 16}\nval: {batch_size: 64}", 16),
        ("mode: eval\ntrain: {batch_size: 16}\nval: {batch_size: 64}", 64),
        ("a: {batch_size: 16}\nb: {batch_size: 64}", None),
        ("bs: '${x}'\nbatch_size: '${data.size}'\ndata: {size: 4}", 4),
    ],
)
def test_the_batch_size(tmp_path: Path, config: str, batch_size: int | None) -> None:
    assert facts_of(a_config(tmp_path, config)).batch_size == batch_size


@pytest.mark.parametrize(
    ("config", "task", "phase"),
    [
        ("task: semantic_segmentation", "segmentation", "train"),
        ("task: image-classification", "classification", "train"),
        ("task: test", None, "test"),
        ("data: cityscapes", "segmentation", "train"),
        ("task: detection", None, "train"),
        ("train: false\ntest: true", None, "test"),
    ],
)
def test_the_task_and_the_phase(tmp_path: Path, config: str, task: str | None, phase: str) -> None:
    facts = facts_of(a_config(tmp_path, config))
    assert (facts.task, facts.phase) == (task, phase)


def test_a_run_without_a_name_is_called_after_its_folder() -> None:
    assert label_of(Path("/x/multirun/2025-03-01/10-00-00/0")) == "multirun/2025-03-01/10-00-00/0"
    assert label_of(Path("/x/mushrooms")) == "mushrooms"
