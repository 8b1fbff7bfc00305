"""What our `prepare` hands to both sides of a benchmark is what timm alone makes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks.sides import bare_parts
from benchmarks.training_loop import MODELS
from metering.ranks import OneRank
from tasks.classification import session as classification

pytestmark = pytest.mark.slow

MODULE_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)


@pytest.mark.parametrize("name", MODELS)
def test_network_and_optimizer_of_a_session_are_those_of_a_bare_timm_loop(compose, name):
    plan = compose(
        f"model={name}",
        "model.input_size=224",
        "batch_size=8",
        "data.num_workers=0",
        "data.options.num_files=16",
    )
    session = classification.prepare(plan, OneRank(), lambda _: None)
    network, optimizer = bare_parts(plan)
    assert modules_of(session.network) == modules_of(network)
    assert str(session.network) == str(network)  # strides, rates of dropout, and so on
    assert tensors_of(session.network) == tensors_of(network)
    assert optimizer_of(session.optimizer) == optimizer_of(optimizer)
    session.close()


def modules_of(network: torch.nn.Module) -> list[tuple[Any, ...]]:
    return [
        (name, type(module), module.training, *(len(getattr(module, one)) for one in MODULE_HOOKS))
        for name, module in network.named_modules()
    ]


def tensors_of(network: torch.nn.Module) -> list[tuple[Any, ...]]:
    """Parameters and buffers: what decides how long a step takes on them."""
    named = [*network.named_parameters(), *network.named_buffers()]
    return [
        (
            name,
            type(one),
            one.shape,
            one.stride(),
            one.dtype,
            one.device,
            one.requires_grad,
            len(one._backward_hooks or ()),
            len(one._post_accumulate_grad_hooks or ()),
        )
        for name, one in named
    ]


def optimizer_of(optimizer: Any) -> tuple[Any, ...]:
    groups = [
        {**group, "params": [one.shape for one in group["params"]]}
        for group in optimizer.param_groups
    ]
    hooks = optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks
    return type(optimizer), groups, [len(one) for one in hooks], len(optimizer.state)
