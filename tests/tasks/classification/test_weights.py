"""Weights from files: which are taken, what does not fit, and what is never run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from metering.ranks import OneRank
from tasks.classification import networks, session, weights
from tasks.errors import PlanError
from tasks.plan import Plan

DIGITS = (
    "model=test_resnet",
    "data=digits",
    "model.input_size=32",
    "batch_size=4",
    "phases=[test]",
    "data.num_workers=0",
    "hardware.accelerator=cpu",
)


@pytest.fixture(scope="module")
def states() -> tuple[dict[str, Any], dict[str, Any]]:
    """Two sets of weights of one network of ten classes."""
    pair = [timm.create_model("test_resnet", num_classes=10).state_dict() for _ in range(2)]
    return pair[0], pair[1]


def refused(plan: Plan) -> str:
    with pytest.raises(PlanError) as refusal:
        session.prepare(plan, OneRank(), lambda _: None)
    assert "\n" not in str(refusal.value)
    assert "weights_only" not in str(refusal.value)
    return str(refusal.value)


def test_of_plain_and_ema_weights_the_chosen_ones_are_taken_and_named(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    path = tmp_path / "both.pth"
    torch.save(
        {"state_dict": states[0], "state_dict_ema": states[1], "args": argparse.Namespace()}, path
    )
    plain = compose(*DIGITS, f"checkpoint={path}")
    ema = compose(*DIGITS, f"checkpoint={path}", "checkpoint_weights=ema")
    for plan, wanted in ((plain, states[0]), (ema, states[1])):
        built = networks.build(plan).state_dict()
        assert all(torch.equal(built[name], value) for name, value in wanted.items())
    assert weights.note(plain) == (
        "weights of both.pth: the plain ones; the file has both, checkpoint_weights=ema takes the "
        "others"
    )
    assert str(weights.note(ema)).startswith("weights of both.pth: the EMA ones")
    assert plain.identity != ema.identity


def test_a_file_without_ema_weights_is_refused_where_they_are_wanted(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    torch.save(states[0], tmp_path / "plain.pth")
    asked = (f"checkpoint={tmp_path / 'plain.pth'}", "checkpoint_weights=ema")
    assert "has no EMA weights" in refused(compose(*DIGITS, *asked))


class Stranger:
    """Stands for whatever a training script pickles beside its weights."""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([torch.zeros(2)], "holds a list, not a state_dict"),
        (torch.zeros(2), "holds a Tensor, not a state_dict"),
        ({}, "holds an empty dict"),
        ({"state_dict": []}, "holds a list under 'state_dict'"),
        ({"epoch": 3, "lr": 0.1}, "epoch is a int"),
        ({"weights": {"fc.weight": torch.zeros(2)}}, "weights is a dict"),
        ({"model": Stranger()}, "holds objects beside weights"),
    ],
)
def test_what_is_no_state_dict_is_said(
    compose: Callable[..., Plan], tmp_path: Path, content: object, words: str
) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert words in refused(compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}"))


def test_weights_for_other_classes_name_both_numbers(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    torch.save(timm.create_model("test_resnet", num_classes=7).state_dict(), tmp_path / "w.pth")
    said = refused(compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}"))
    assert "has 7 classes, and data=digits has 10" in said


def test_weights_of_another_network_count_what_differs(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    torch.save(timm.create_model("test_vit", num_classes=10).state_dict(), tmp_path / "w.pth")
    said = refused(compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}"))
    assert "does not fit model=test_resnet" in said
    assert "are missing" in said and "have no place in it" in said


def test_a_damaged_file_is_no_advice_to_unpickle(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    torch.save(states[0], tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as weights" in refused(
        compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}")
    )


def test_published_weights_have_their_own_classes(compose: Callable[..., Plan]) -> None:
    assert "checkpoint=pretrained of model=test_resnet has 1000 classes" in refused(
        compose(*DIGITS, "checkpoint=pretrained")
    )


def test_without_a_network_pretrained_says_where_weights_can_be_put(
    compose: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", offline)
    plan = compose(*DIGITS, "data.options.num_classes=1000", "checkpoint=pretrained")
    said = refused(plan)
    assert "no route to host" in said
    assert "give checkpoint=FILE" in said


def test_a_network_in_a_folder_is_built_with_its_settings(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    folder = tmp_path / "mynet"
    model = timm.create_model("test_resnet", num_classes=10)
    timm.models.save_for_hf(model, folder, model_config={"num_classes": 10})
    asked = (f"'model=\"local-dir:{folder}\"'".strip("'"), *DIGITS[1:], "checkpoint=pretrained")
    plan = compose(*asked)
    assert plan.model.name == "mynet"
    built = networks.build(plan).state_dict()
    assert all(torch.equal(built[name], value) for name, value in model.state_dict().items())
