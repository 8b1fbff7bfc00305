"""Options of timm's networks: what the plan says is none; what cannot be built is one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.classification import pretraining, session, trial
from tasks.errors import PlanError
from tasks.plan import Plan


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("checkpoint_path", "give checkpoint=FILE"),
        ("pretrained", "give checkpoint=pretrained"),
        ("pretrained_cfg", "model=NAME.TAG"),
        ("features_only", "leave it out"),
        ("cache_dir", "set HF_HOME"),
    ],
)
def test_what_the_plan_says_is_no_option_of_the_network(
    compose: Callable[..., Plan], option: str, words: str
) -> None:
    with pytest.raises(PlanError, match=f"model.options.{option}=.*{words}"):
        list(session.check(compose("model=test_resnet", f"+model.options.{option}=x")))


@pytest.mark.parametrize("rate", [2, -0.5, 1, "high", "true"])
def test_a_rate_is_a_share(compose: Callable[..., Plan], rate: object) -> None:
    plan = compose("model=test_vit", f"+model.options.drop_path_rate={rate}")
    with pytest.raises(PlanError, match=r"drop_path_rate=.* is not a share from 0 to 1"):
        list(session.check(plan))


def test_a_rate_of_growth_is_no_share(compose: Callable[..., Plan]) -> None:
    list(session.check(compose("model=densenet121", "+model.options.growth_rate=24")))


@pytest.mark.parametrize(
    "option", ["act_layer=nope", "patch_size=0", "depth=deep", "embed_dim=100000000000"]
)
def test_options_that_timm_cannot_build_with_are_one_line(
    compose: Callable[..., Plan], option: str
) -> None:
    with pytest.raises(PlanError, match=r"^model(=|\.options)[^\n]*$"):
        trial.run(*pretraining.tried(compose("model=test_vit", f"+model.options.{option}")), None)


@pytest.mark.parametrize(
    ("option", "cure"),
    [
        ("qkv_bias=no", "write true or false"),
        ("qkv_bias=none", "write true or false"),
        ("qk_norm=None", "write null"),
        ("embed_norm_layer=None", "write null"),
        ("num_heads=true", "give one"),
    ],
)
def test_what_python_takes_for_another_value_in_silence_is_refused(
    compose: Callable[..., Plan], option: str, cure: str
) -> None:
    plan = compose("model=test_vit", f"+model.options.{option}")
    with pytest.raises(PlanError, match=rf"^model\.options\.[^\n]*{cure}$"):
        list(session.check(plan))
        trial.run(*pretraining.tried(plan), None)


@pytest.mark.parametrize("option", ["qkv_bias=false", "qkv_bias=0", "weight_init=jax", "depth=2"])
def test_values_of_their_own_kind_pass(compose: Callable[..., Plan], option: str) -> None:
    trial.run(*pretraining.tried(compose("model=test_vit", f"+model.options.{option}")), None)


def test_a_folder_of_a_network_that_is_not_there_is_named(compose: Callable[..., Plan]) -> None:
    plan = compose('model="local-dir:/nowhere/net"')
    with pytest.raises(PlanError, match=r"needs /nowhere/net/config\.json.*name a folder"):
        trial.run(*pretraining.tried(plan), None)
