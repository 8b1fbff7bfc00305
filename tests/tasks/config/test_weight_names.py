"""Weights are found in a file as scripts and wrappers save them, and only those of the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tasks.config.weight_names import choose

OWN = {"conv.weight": (4, 3), "fc.weight": (2, 4), "fc.bias": (2,)}


def state(prefix: str = "", value: float = 1.0) -> dict[str, Any]:
    return {prefix + name: np.full(shape, value) for name, shape in OWN.items()}


PLAIN, AVERAGE = 1.0, 2.0
COUNT = np.ones(())
OPTIMIZER = {"optimizer": {"state": {0: {"step": COUNT}}, "param_groups": [{"lr": 0.1}]}}


def values(weights: Mapping[str, Any]) -> set[float]:
    assert set(weights) == set(OWN)
    return {float(value.flat[0]) for value in weights.values()}


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (state(), ""),
        ({"state_dict": state("module."), "epoch": 3}, ""),
        ({"state_dict": state("model."), "hyper_parameters": {"lr": 0.1}}, "model."),
        (state("net."), "net."),
        (state("backbone.") | {"n_averaged": COUNT}, "backbone."),
        ({"model": state("module.model._orig_mod."), **OPTIMIZER}, "module.model._orig_mod."),
        ({"model_state": state(), **OPTIMIZER}, "found under model_state"),
        ({"my_weights": state("a.b."), **OPTIMIZER}, "found under my_weights, names read .* a.b."),
        ({"state": {"model": state(), **OPTIMIZER}}, "found under state.model"),
        ({"model": {"module": state()}, **OPTIMIZER}, "found under model.module"),
        ({"model": "resnet50", "weights": state()}, "found under weights"),
    ],
)
def test_weights_are_found_and_their_place_is_noted(content: dict[str, Any], note: str) -> None:
    chosen = choose(content, OWN, wants_average=False)
    assert chosen is not None
    assert values(chosen.weights) == {PLAIN}
    assert re.search(f"{note}$", chosen.note)
    assert not (chosen.is_average or chosen.has_both)
    assert choose(content, OWN, wants_average=True) is None


@pytest.mark.parametrize(
    "content",
    [
        {"model": state(), "model_ema": state("module.", AVERAGE) | {"n_averaged": COUNT}},
        {"state_dict": state("model.") | state("ema_model.module.", AVERAGE)},
        {"state_dict": state() | state("ema.module.", AVERAGE)},
        state("online_model.") | state("ema_model.", AVERAGE) | {"initted": np.ones(1)},
        {"state_dict": state("model.") | state("ema.module.", AVERAGE) | {"ema.n_averaged": COUNT}},
        {"current_model_state": state("model."), "state_dict": state("model.", AVERAGE)},
        {"student": state("module."), "teacher": state("", AVERAGE), **OPTIMIZER},
        {"model": state(), "ema": {"module": state("", AVERAGE), "updates": 3}},
    ],
)
def test_of_plain_weights_and_an_average_the_wanted_ones_are_taken(content: dict[str, Any]) -> None:
    for wants_average, value in ((False, PLAIN), (True, AVERAGE)):
        chosen = choose(content, OWN, wants_average=wants_average)
        assert chosen is not None
        assert values(chosen.weights) == {value}
        assert chosen.has_both and chosen.is_average is wants_average


@pytest.mark.parametrize("key", ["teacher", "model_ema"])
def test_an_average_without_plain_weights_is_taken_and_called_one(key: str) -> None:
    chosen = choose({key: state("module.", AVERAGE), **OPTIMIZER}, OWN, wants_average=False)
    assert chosen is not None and chosen.is_average and not chosen.has_both
    assert values(chosen.weights) == {AVERAGE}


@pytest.mark.parametrize(
    "content",
    [
        state("first.") | state("second."),
        state("model.") | {"model.extra.weight": np.ones(3)},
        state("model.") | {"loss.weight": np.ones(3)},
        {"a": state(), "b": state()},
    ],
)
def test_what_may_be_another_network_is_left_as_it_is(content: dict[str, Any]) -> None:
    chosen = choose(content, OWN, wants_average=False)
    assert chosen is not None
    assert set(chosen.weights) != set(OWN)


def test_wrappers_within_names_are_left_out_on_either_side() -> None:
    given = {"features.module.0.weight": np.ones(2)}
    chosen = choose(given, {"features.0.weight": (2,)}, wants_average=False)
    assert chosen is not None and list(chosen.weights) == ["features.0.weight"]
    wrapped = {"body._orig_mod.weight": (2,), "module.weight": (2,)}
    chosen = choose({"body.weight": np.ones(2)}, wrapped, wants_average=False)
    assert chosen is not None and list(chosen.weights) == ["body._orig_mod.weight"]


def test_a_network_that_calls_its_weights_as_scripts_call_files_is_read() -> None:
    own = {"weights": (2,), "net.module.weight": (2,), "module.weight": (2,)}
    given = {name: np.ones(shape) for name, shape in own.items()}
    chosen = choose(given, own, wants_average=False)
    assert chosen is not None and set(chosen.weights) == set(own)
