"""Weights from files: which are taken, what does not fit, and what is never run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

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


def noted(plan: Plan) -> str | None:
    return weights.note(plan, networks.build_without_weights(plan))


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
    assert noted(plain) == (
        "weights of both.pth: the plain ones; the file has both, checkpoint_weights=ema takes the "
        "others"
    )
    assert str(noted(ema)).startswith("weights of both.pth: the EMA ones")
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
        ({0: torch.zeros(2)}, "holds no weights under its names (0 is a Tensor"),
        ({"weights": {"fc": {"weight": "a"}}}, "weights.fc is a dict"),
        ({"model": Stranger()}, "holds objects beside weights"),
        ({"fc.weight": torch.eye(2).to_sparse()}, "no plain arrays (quantised, sparse)"),
        (
            {"fc.weight": torch.quantize_per_tensor(torch.ones(2, 2), 0.1, 0, torch.qint8)},
            "no plain arrays (quantised, sparse)",
        ),
    ],
)
def test_what_is_no_state_dict_is_said(
    compose: Callable[..., Plan], tmp_path: Path, content: object, words: str
) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert words in refused(compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}"))


def test_a_network_saved_whole_before_pytorch_1_6_is_told(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    path = tmp_path / "w.pth"
    torch.save(torch.nn.Flatten(), path, _use_new_zipfile_serialization=False)
    assert "objects beside weights (torch.nn.modules.flatten" in refused(
        compose(*DIGITS, f"checkpoint={path}")
    )


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


def test_names_with_one_word_more_beside_others_are_told_with_the_command(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    state = {f"model.{name}": value for name, value in states[0].items()}
    state["criterion.weight"] = torch.ones(10)
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "lightning.ckpt")
    said = refused(compose(*DIGITS, f"checkpoint={tmp_path / 'lightning.ckpt'}"))
    assert "under names that begin with 'model.'" in said
    assert "name.removeprefix('model.')" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda value: (value * 100).to(torch.int8), "has int8 in place of real numbers"),
        (lambda value: value.to(torch.complex64), "has complex64 in place of real numbers"),
        (lambda value: value * torch.nan, "are infinite or no numbers"),
    ],
)
@pytest.mark.parametrize("ends", ["pth", "safetensors"])
def test_weights_that_are_no_numbers_are_refused(
    compose: Callable[..., Plan],
    tmp_path: Path,
    states: tuple[Any, Any],
    change: Callable[[torch.Tensor], torch.Tensor],
    words: str,
    ends: str,
) -> None:
    state = {
        name: change(value) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    path = tmp_path / f"w.{ends}"
    if ends == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)
        words = words.replace("int8", "I8").replace("complex64", "C64")
    assert words in refused(compose(*DIGITS, f"checkpoint={path}"))


def test_files_that_are_older_than_a_count_of_batches_are_read(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    state = {name: value for name, value in states[0].items() if "num_batches" not in name}
    torch.save(state, tmp_path / "w.pth")
    plan = compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}")
    weights.require_fit(plan, networks.build_without_weights(plan))
    built = networks.build(plan).state_dict()
    assert all(torch.equal(built[name], value) for name, value in state.items())


def test_ema_weights_of_which_there_are_none_are_not_spoken_of(
    compose: Callable[..., Plan], tmp_path: Path, states: tuple[Any, Any]
) -> None:
    torch.save({"state_dict": states[0], "state_dict_ema": None}, tmp_path / "w.pth")
    asked = compose(*DIGITS, f"checkpoint={tmp_path / 'w.pth'}")
    assert noted(asked) == "weights of w.pth: the plain ones"
    with pytest.raises(PlanError, match="and checkpoint=None is none"):
        list(session.check(compose(*DIGITS, "checkpoint_weights=ema")))


def jax_file(path: Path, num_classes: int, num_blocks: int = 6, *, head: bool = True) -> None:
    """Weights of timm's `test_vit` as Google's ViT saves them."""
    width, heads = 64, 2
    draw = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "embedding/kernel": draw.normal(size=(16, 16, 3, width)),
        "embedding/bias": np.zeros(width),
        "cls": np.zeros((1, 1, width)),
        "Transformer/posembed_input/pos_embedding": np.zeros((1, 101, width)),
        "Transformer/encoder_norm/scale": np.ones(width),
        "Transformer/encoder_norm/bias": np.zeros(width),
    }
    if head:
        arrays |= {
            "head/kernel": np.zeros((width, num_classes)),
            "head/bias": np.zeros(num_classes),
        }
    for number in range(num_blocks):
        block = f"Transformer/encoderblock_{number}"
        attention = f"{block}/MultiHeadDotProductAttention_1"
        for part in ("query", "key", "value"):
            arrays[f"{attention}/{part}/kernel"] = np.zeros((width, heads, width // heads))
            arrays[f"{attention}/{part}/bias"] = np.zeros((heads, width // heads))
        arrays[f"{attention}/out/kernel"] = np.zeros((heads, width // heads, width))
        arrays[f"{attention}/out/bias"] = np.zeros(width)
        for layer, shape in enumerate(((width, 3 * width), (3 * width, width))):
            arrays[f"{block}/MlpBlock_3/Dense_{layer}/kernel"] = np.zeros(shape)
            arrays[f"{block}/MlpBlock_3/Dense_{layer}/bias"] = np.zeros(shape[1])
        for norm in (0, 2):
            arrays[f"{block}/LayerNorm_{norm}/scale"] = np.ones(width)
            arrays[f"{block}/LayerNorm_{norm}/bias"] = np.zeros(width)
    np.savez(path, **{name: value.astype(np.float32) for name, value in arrays.items()})


def test_files_of_jax_are_loaded_whole_or_refused(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    asked = ("model=test_vit", "data=digits", "hardware.accelerator=cpu", "phases=[test]")
    jax_file(tmp_path / "w.npz", 10)
    plan = compose(*asked, "model.input_size=160", f"checkpoint={tmp_path / 'w.npz'}")
    assert not networks.build(plan).head.weight.any()
    jax_file(tmp_path / "w.npz", 21)
    with pytest.raises(PlanError, match=r"another number of classes \(head.weight, head.bias\)"):
        networks.build(plan)
    jax_file(tmp_path / "w.npz", 10, head=False)
    with pytest.raises(PlanError, match="nothing for 2 of its"):
        networks.build(plan)
    jax_file(tmp_path / "w.npz", 10, num_blocks=7)
    with pytest.raises(PlanError, match="it has 7 blocks, and the network 6"):
        networks.build(plan)


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
