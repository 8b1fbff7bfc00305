"""What a recipe's source does in a step is in the step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from metering.ranks import OneRank
from tasks.classification import networks, session
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow

TINY = (
    "model=test_resnet",
    "model.input_size=64",
    "batch_size=6",
    "hardware.accelerator=cpu",
    "data.options.num_files=16",
    "data.options.train_samples=64",
    "data.num_workers=0",
)


def test_deits_step_updates_an_average_and_repeats_each_image(compose: Callable[..., Plan]) -> None:
    prepared = session.prepare(compose(*TINY, "model.training=deit"), OneRank(), lambda _: None)
    indices = list(prepared.train_loader.sampler)
    assert indices[0] == indices[1] == indices[2] != indices[3] == indices[4]
    before = [one.detach().clone() for one in prepared.average.module.parameters()]
    window = CountingWindow(2)
    prepared.train(window)
    assert window.samples == [6, 6]
    after = list(prepared.average.module.parameters())
    assert not all(torch.equal(*pair) for pair in zip(before, after, strict=True))
    prepared.close()


@pytest.mark.parametrize("training", ["plain", "swin", "davit", "resnet"])
def test_other_steps_have_no_average(compose: Callable[..., Plan], training: str) -> None:
    asked = compose(*TINY, f"model.training={training}").asked.training
    assert (asked["ema_decay"], asked["aug_repeats"]) == (None, 1)


def test_what_a_source_clips_averages_and_drops_is_asked(compose: Callable[..., Plan]) -> None:
    swin = compose("model=swin_s").asked
    assert swin.training["clip_grad_norm"] == 5.0
    assert swin.network_options["drop_path_rate"] == 0.3
    assert compose("model=convnext_t").asked.training["ema_decay"] == 0.9999
    assert compose("model=vit_l_mae").asked.training["layer_decay"] == 0.75
    assert compose("model=efficientnet_b7").asked.network_options["drop_rate"] == 0.5


def test_stochastic_depth_is_in_the_network(compose: Callable[..., Plan]) -> None:
    network = networks.build_without_weights(compose("model=convnext_t"))
    rates = [one.drop_prob for one in network.modules() if type(one).__name__ == "DropPath"]
    assert max(rates) == pytest.approx(0.1)


def test_earlier_layers_learn_slower_in_fine_tuning(compose: Callable[..., Plan]) -> None:
    from tasks.classification import training

    network = networks.build_without_weights(compose("model=test_vit"))
    groups = networks.optimizer(network, training.named("finetune"), 512).param_groups
    scales = {group.get("lr_scale", 1.0) for group in groups}
    assert min(scales) < max(scales) == 1.0
