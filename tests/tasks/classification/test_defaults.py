"""What a good training loop has is on without asking, and each is seen here to be on."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from tasks.classification import data as classification_data
from tasks.classification import loaders, training
from tasks.running import device
from tests.tasks.classification.test_session import SMALL, prepared
from tests.tasks.counting_window import CountingWindow

TINY = (
    *SMALL,
    "model=test_resnet",
    "model.input_size=64",
    "batch_size=4",
    "hardware.accelerator=cpu",
)


@pytest.mark.trains
@pytest.mark.parametrize(
    ("asked", "layout"),
    [((), torch.channels_last), (("channels_last=false",), torch.contiguous_format)],
)
def test_images_and_weights_are_channels_last_unless_told_otherwise(compose, asked, layout):
    session = prepared(compose(*TINY, *asked))
    seen = []
    session.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    session.train(CountingWindow(1))
    session.test(CountingWindow(1))
    weights = [one for one in session.network.parameters() if one.dim() == 4 and one.shape[1] > 1]
    assert len(seen) == 2
    assert all(one.is_contiguous(memory_format=layout) for one in [*seen, *weights])
    session.close()


@pytest.fixture
def asked_of_timm(compose, monkeypatch):
    """What `timm.data.create_loader` is called with, for a kind of device and some workers."""

    def call(device_type: str, num_workers: int) -> dict[str, Any]:
        given: dict[str, Any] = {}
        monkeypatch.setattr("timm.data.create_loader", lambda _, **options: given.update(options))
        plan = compose(*TINY)
        images, _ = classification_data.open_sets(plan.data, plan.seed)
        loaders.loader(
            images,
            training=training.named("plain"),
            input_size=64,
            batch_size=4,
            num_workers=num_workers,
            device=torch.device(device_type),
            options=plan.data.options,
            data_config={
                "mean": (0.5,) * 3,
                "std": (0.5,) * 3,
                "crop_pct": 0.9,
                "interpolation": "bicubic",
                "crop_mode": "center",
            },
            collate=None,
            distributed=False,
            is_training=True,
        )
        return given

    return call


@pytest.mark.parametrize("device_type", ["cpu", "cuda"])
def test_workers_live_from_epoch_to_epoch_and_the_device_normalises(asked_of_timm, device_type):
    given = asked_of_timm(device_type, 2)
    assert given["num_workers"] == 2
    assert given["persistent_workers"] and given["use_multi_epochs_loader"]
    assert given["use_prefetcher"]
    assert given["device"] == torch.device(device_type)


def test_images_for_a_gpu_are_in_pinned_memory(asked_of_timm):
    assert asked_of_timm("cuda", 2)["pin_memory"]
    assert not asked_of_timm("cpu", 2)["pin_memory"]


def test_without_workers_nothing_is_asked_to_persist(asked_of_timm):
    given = asked_of_timm("cpu", 0)  # PyTorch refuses persistent_workers there
    assert not given["persistent_workers"] and not given["use_multi_epochs_loader"]


def test_cudnn_looks_for_the_quickest_convolutions(compose, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    prepared(compose(*TINY)).close()
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize(("precision", "tf32"), [("fp32", False), ("tf32", True), ("bf16", False)])
def test_fp32_is_fp32_in_matrices_and_convolutions(monkeypatch, precision, tf32):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    ampere = torch.device("cuda", 0)
    device.set_precision("fp32" if tf32 else "tf32", ampere)  # the run before it
    device.set_precision(precision, ampere)
    allowed = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    device.set_precision("fp32", ampere)
    assert allowed == (tf32, tf32)


@pytest.mark.trains
def test_gradients_are_dropped_between_steps_not_set_to_zero(compose):
    session = prepared(compose(*TINY))
    gradients = []
    session.network.register_forward_pre_hook(
        lambda net, _: gradients.append([one.grad for one in net.parameters()])
    )
    session.train(CountingWindow(2))
    session.close()
    assert len(gradients) == 2
    assert all(grad is None for grads in gradients for grad in grads)


@pytest.mark.trains
@pytest.mark.parametrize(
    ("precision", "kind"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_both_phases_compute_in_the_asked_precision(compose, precision, kind):
    session = prepared(compose(*TINY, f"precision={precision}"))
    kinds = []
    session.network.register_forward_hook(lambda _, __, output: kinds.append(output.dtype))
    session.train(CountingWindow(1))
    session.test(CountingWindow(1))
    session.close()
    assert kinds == [kind, kind]


@pytest.mark.trains
def test_fp16_gradients_are_scaled_back_before_they_are_clipped(compose):
    session = prepared(compose(*TINY, "precision=fp16", "model.training=vit"))  # clips at 1
    session.step = dataclasses.replace(session.step, loss=times(100.0, session.step.loss))
    norms: list[float] = []
    session.optimizer.register_step_pre_hook(lambda *_: norms.append(norm_of(session.network)))
    session.train(CountingWindow(20))  # the first overflow, until the scale is found
    session.close()
    assert norms
    assert norms == pytest.approx([1.0] * len(norms), rel=1e-3)


@pytest.mark.trains
def test_an_fp16_step_that_overflows_is_left_out(compose):
    session = prepared(compose(*TINY, "precision=fp16"))
    session.step = dataclasses.replace(session.step, loss=times(float("inf"), session.step.loss))
    before = [one.detach().clone() for one in session.network.parameters()]
    session.train(CountingWindow(2))
    after = list(session.network.parameters())
    session.close()
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))


def times(factor: float, loss):
    return lambda *given: factor * loss(*given)


def norm_of(network: torch.nn.Module) -> float:
    grads = [one.grad.norm() for one in network.parameters() if one.grad is not None]
    return float(torch.stack(grads).norm())
