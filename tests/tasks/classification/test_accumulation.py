"""A batch in parts is the same optimizer step as the whole batch, and one step of the meter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from analysis.records.describe import variant_of
from metering.ranks import OneRank
from metering.setup import SetUp
from tasks.classification import pretraining, session
from tasks.errors import PlanError
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow

TINY = (
    "model=test_vit",
    "model.input_size=32",
    "data.options.num_files=8",
    "data.num_workers=0",
    "hardware.accelerator=cpu",
    "batch_size=8",
)


def trained(
    plan: Plan, num_steps: int, batches: list[Any] | None = None
) -> tuple[list[torch.Tensor], list[int]]:
    """What `num_steps` change the weights by, and the samples of each step. batches: in
    place of the loader's."""
    prepared = session.prepare(plan, OneRank(), lambda _: None)
    before = [one.detach().clone() for one in prepared.network.parameters()]
    if batches is not None:
        prepared._batches = lambda *_, **__: iter(batches)  # type: ignore[method-assign]
    window = CountingWindow(num_steps)
    prepared.train(window)
    changes = [one - old for one, old in zip(prepared.network.parameters(), before, strict=True)]
    prepared.close()
    return changes, window.samples


@pytest.mark.trains
def test_four_parts_change_the_weights_as_the_whole_batch_does(
    compose: Callable[..., Plan],
) -> None:
    torch.manual_seed(0)
    images, targets = torch.randn(8, 3, 32, 32), torch.arange(8)
    asked = (*TINY, "model.training=resnet")  # SGD: a change is the gradient's size
    whole, samples = trained(compose(*asked), 1, [(0, images, targets, 0.0)])
    parts = [(0, images[at : at + 2], targets[at : at + 2], 0.1) for at in range(0, 8, 2)]
    accumulated, samples_of_parts = trained(compose(*asked, "accumulation_steps=4"), 1, parts)
    assert samples == samples_of_parts == [8]
    for one, other in zip(whole, accumulated, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)
    assert max(float(one.abs().max()) for one in whole) > 1e-3


@pytest.mark.trains
def test_the_loader_gives_parts_and_the_optimizer_steps_once_for_all_of_them(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    updates: list[int] = []
    real = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *given: (updates.append(1), real(*given)))
    _, samples = trained(compose(*TINY, "accumulation_steps=2"), 3)
    assert (samples, len(updates)) == ([8] * 3, 3)


def test_it_is_another_run_and_one_part_is_not(compose: Callable[..., Plan]) -> None:
    plain, one, two = (
        compose(*TINY, *asked).identity
        for asked in ((), ("accumulation_steps=1",), ("accumulation_steps=2",))
    )
    assert plain == one != two
    asked = compose(*TINY, "accumulation_steps=2").asked
    assert "batch in 2 parts" in variant_of(SetUp(asked, None))


def test_what_cannot_be_split_is_refused(compose: Callable[..., Plan]) -> None:
    with pytest.raises(PlanError, match="accumulation_steps=3 cannot split batch_size=8"):
        compose(*TINY, "accumulation_steps=3")
    odd = compose(*TINY, "model.training=deit", "accumulation_steps=8")
    with pytest.raises(PlanError, match="odd batch of 1"):
        list(session.check(odd))
    with pytest.raises(PlanError, match="changes stage=clip"):
        pretraining.check(compose("model=clip_b16", "stage=clip", "accumulation_steps=2"))
