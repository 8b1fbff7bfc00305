"""Stages: every method's own step really runs, and is told apart in the record."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from metering.ranks import OneRank
from tasks.classification import pretraining
from tasks.classification import session as classification
from tasks.classification.stages.step import Step
from tasks.config.stages import NoSuchStage
from tasks.errors import PlanError
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow

pytestmark = pytest.mark.trains

SMALL = (
    "data.options.num_files=16", "data.options.train_samples=64", "data.num_workers=0",
    "hardware.accelerator=cpu", "batch_size=2",
)  # fmt: skip
TINY_ARCH = (
    "{_delete_: true, embed_dims: 32, num_layers: 2, num_heads: 2, feedforward_channels: 64}"
)
TINY_MAE = (
    f"+model.options.overrides={{model.backbone.arch: {TINY_ARCH}, model.neck.embed_dim: 32, "
    "model.neck.decoder_embed_dim: 32, model.neck.decoder_depth: 1, "
    "model.neck.decoder_num_heads: 2}",
    "model.input_size=64",
)


def prepared(plan: Plan) -> classification.ClassificationSession:
    classification.check(plan)
    return classification.prepare(plan, OneRank(), lambda _: None)


def step_of(plan: Plan) -> Step:
    import torch

    return pretraining.step(plan, OneRank(), torch.device("cpu"))


@pytest.fixture
def losses(compose) -> Callable[..., float]:
    """The loss after two training steps."""

    def run(*overrides: str) -> float:
        session = prepared(compose(*SMALL, *overrides))
        window = CountingWindow(2)
        try:
            loss = session.train(window).quality["train_loss"]
        finally:
            session.close()
        assert window.samples == [2, 2]
        return loss

    return run


# each method's own model with few layers and pixels; its native one with make test-models
REDUCED = {
    "vit_b_mae": TINY_MAE,
    "beit_l": (
        f"+model.options.overrides={{model.backbone.arch: {TINY_ARCH}, model.head.embed_dims: 32}}",
        "model.input_size=64",
    ),
    "beitv2_b": (
        f"+model.options.overrides={{model.backbone.arch: {TINY_ARCH}, model.head.embed_dims: 32, "
        "model.backbone.out_indices: [0, 1], model.neck.early_layers: 1, model.neck.backbone_arch: "
        "{_delete_: true, embed_dims: 32, depth: 2, num_layers: 2, num_heads: 2, "
        "feedforward_channels: 64}, "
        "model.target_generator.encoder_config.arch: small}",
        "model.input_size=64",
    ),
    "clip_b16": (
        "+model.options.open_clip={vision_cfg: {image_size: 32, layers: 1, width: 64, "
        "patch_size: 16}}",
        "model.input_size=32",
    ),
    "vit_b_in21k": ("model.source=vit_tiny_patch16_224", "model.input_size=32"),
    "swin_b_in22k": ("model.source=swin_tiny_patch4_window7_224", "model.input_size=64"),
}  # fmt: skip


@pytest.mark.parametrize("name", REDUCED)
def test_a_pretraining_stage_of_every_method_takes_two_steps(losses, name):
    assert math.isfinite(losses(f"model={name}", "stage=pretrain", *REDUCED[name]))


def test_distillation_takes_two_steps(losses):
    assert math.isfinite(losses("model=deit_t", "stage=distill", "model.input_size=64"))


@pytest.mark.models
@pytest.mark.parametrize("name", ["deit_b", "efficientformer_l1", "efficientformerv2_s0"])
def test_distillation_takes_two_steps_at_its_native_size(losses, name):
    assert math.isfinite(losses(f"model={name}", "stage=distill"))


@pytest.mark.models
@pytest.mark.parametrize(
    "name",
    [
        "vit_b_mae",
        "vit_l_mae",
        "vit_h_mae",
        "beit_l",
        "beitv2_b",
        "beitv2_l",
        "clip_b16",
        "clip_l14",
        "vit_b_in21k",
        "vit_b_jft",
        "swinv2_b_in22k",
        "convnext_t_in22k",
    ],
)
def test_every_pretraining_stage_steps_at_its_native_size(losses, name):
    assert math.isfinite(losses(f"model={name}", "stage=pretrain"))


def train_on_one_batch(step: Step, images: Any, targets: Any, num_steps: int) -> list[float]:
    import torch

    optimizer = torch.optim.AdamW(step.network.parameters(), lr=3e-3)
    step.network.train()
    seen = []
    for _ in range(num_steps):
        torch.manual_seed(0)  # one mask
        loss = step.loss(step.network, images, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    return seen


def test_a_masked_autoencoder_learns_to_reconstruct(compose):
    import torch

    step = step_of(compose("model=vit_b_mae", "stage=pretrain", *TINY_MAE))
    torch.manual_seed(1)
    seen = train_on_one_batch(step, torch.randn(4, 3, 64, 64), None, 60)
    assert seen[-1] < 0.7 * seen[0]


def test_a_masked_autoencoder_encodes_a_quarter_of_the_patches(compose):
    import torch

    step = step_of(compose("model=vit_b_mae", "stage=pretrain", *TINY_MAE))
    encoder = step.network.model.backbone
    latent, mask, _ = encoder(torch.randn(2, 3, 64, 64))
    assert latent.shape == (2, 1 + 16 // 4, 32)
    assert mask.sum(dim=1).tolist() == [12, 12]


@pytest.mark.parametrize(
    ("name", "view", "tokens"), [("beit_l", 32, (2, 8192, 4, 4)), ("beitv2_b", 64, (2, 16))]
)
def test_the_tokenizer_runs_on_every_step_and_is_not_trained(compose, name, view, tokens):
    import torch

    step = step_of(compose(f"model={name}", "stage=pretrain", *REDUCED[name]))
    seen: list[tuple[tuple[int, ...], ...]] = []
    tokenizer = step.network.model.target_generator
    tokenizer.register_forward_hook(
        lambda _, inputs, output: seen.append((tuple(inputs[0].shape), tuple(output.shape)))
    )
    step.network.train()
    assert not tokenizer.training
    masks = torch.zeros(2, 4, 4, dtype=torch.int64)
    masks[:, 0] = 1
    step.loss(step.network, torch.randn(2, 3, 64, 64), masks).backward()
    assert seen == [((2, 3, view, view), tokens)]
    assert all(parameter.grad is None for parameter in tokenizer.parameters())
    assert any(parameter.grad is not None for parameter in step.network.parameters())


def test_masks_are_blocks_of_the_published_share(compose):
    import numpy as np

    step = step_of(
        compose("model=beitv2_b", "stage=pretrain", *REDUCED["beitv2_b"][:1], "model.input_size=96")
    )
    batch = [(np.zeros((3, 96, 96), np.uint8), 0)] * 3
    images, masks = step.collate(batch)
    assert images.shape == (3, 3, 96, 96)
    assert masks.shape == (3, 6, 6)
    assert masks.sum(dim=(1, 2)).tolist() == [round(36 * 75 / 196)] * 3


def test_clip_reads_a_caption_for_every_image(compose):
    import numpy as np
    import torch

    step = step_of(compose("model=clip_b16", "stage=pretrain", *REDUCED["clip_b16"]))
    images, tokens = step.collate([(np.zeros((3, 32, 32), np.uint8), k) for k in (0, 7)])
    assert tokens.shape == (2, 77)
    step.loss(step.network, images.float(), tokens).backward()
    towers = step.network.model
    assert towers.token_embedding.weight.grad.abs().sum() > 0
    assert towers.visual.conv1.weight.grad is not None
    assert step.loss(step.network, torch.randn(2, 3, 32, 32), tokens).ndim == 0


def test_the_teacher_sees_every_image_and_is_not_trained(compose):
    import torch

    step = step_of(
        compose(
            "model=deit_t", "stage=distill", "data.options.num_classes=10", "model.input_size=64"
        )
    )
    seen = []
    teacher = step.network.teacher
    teacher.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    step.network.train()
    soft = torch.full((2, 10), 0.1)
    step.loss(step.network, torch.randn(2, 3, 64, 64), soft).backward()
    assert seen == [2]
    assert not teacher.training
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert step.network.student.head_dist.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("name", "num_classes", "size"),
    [
        ("vit_b_in21k", 21843, None),
        ("swin_b_in22k", 21841, None),
        ("vit_b_jft", 18291, None),
        ("swinv2_b_in22k", 21841, 192),
    ],
)
def test_pretraining_on_a_larger_set_has_that_sets_head(compose, name, num_classes, size):
    from tasks.classification.stages import larger_set

    plan = compose(f"model={name}", "stage=pretrain")
    there = larger_set.plan_of(plan)
    assert pretraining.num_classes(plan) == num_classes
    assert there.model.input_size == (size or plan.model.input_size)
    one = pretraining.facts(plan, None).params_m  # type: ignore[arg-type]
    other = pretraining.facts(compose(f"model={name}"), None).params_m  # type: ignore[arg-type]
    assert one > other + 10


def test_each_stage_has_an_identity_of_its_own_and_only_a_train_phase(compose):
    tune, pretrain = compose("model=vit_b_mae"), compose("model=vit_b_mae", "stage=pretrain")
    assert tune.identity != pretrain.identity
    assert (pretrain.stage, pretrain.phases) == ("mae", ("train",))
    assert compose("model=vit_b_mae", "stage=mae").identity == pretrain.identity
    assert compose("model=vit_b_mae", "stage=finetune").identity == tune.identity


def test_one_sweep_suits_models_with_and_without_pretraining(compose):
    def stages(name: str) -> list[str]:
        return [compose(f"model={name}", f"stage={place}").stage for place in ("first", "last")]

    assert stages("swin_b_in22k") == ["pretrain", "supervised"]
    assert stages("swin_b") == ["supervised", "supervised"]


@pytest.mark.parametrize(
    ("name", "stage", "words"),
    [
        ("resnet50", "pretrain", "no stage=pretrain; its stages: supervised, train, first"),
        ("vit_b_mae", "distill", "its stages: supervised, pretrain, mae, finetune, first"),
        ("deit_t", "pretrain", "its stages: supervised, train, first, last, distill"),
        ("pspnet", "pretrain", "model=pspnet has no stage=pretrain; its stages: supervised"),
        ("tsm", "distill", "model=tsm has no stage=distill; its stages: supervised"),
    ],
)
def test_a_stage_that_a_model_has_not_is_named_with_those_it_has(compose, name, stage, words):
    with pytest.raises(NoSuchStage, match=words):
        compose(f"model={name}", f"stage={stage}")


def test_a_stage_has_no_test_phase(compose):
    with pytest.raises(PlanError, match="has no test phase"):
        compose("model=vit_b_mae", "stage=pretrain", "phases=[test]")


def test_a_size_that_a_method_cannot_cut_into_patches_is_refused(compose):
    with pytest.raises(PlanError, match=r"model.input_size=50 .* multiple of its patch size 16"):
        step_of(compose("model=beitv2_b", "stage=pretrain", "model.input_size=50"))


def test_a_stage_is_built_whatever_library_an_earlier_run_left_as_the_default(losses) -> None:
    from mmengine.registry import DefaultScope

    DefaultScope.get_instance("of an earlier run", scope_name="mmengine")
    try:
        assert losses("model=vit_b_mae", "stage=pretrain", *REDUCED["vit_b_mae"]) > 0
    finally:
        DefaultScope._instance_dict.pop("of an earlier run")
