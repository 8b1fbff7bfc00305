"""What a plan asks for: what changes a result is in its identity, what interprets it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tasks.plan import Plan

Compose = Callable[..., Plan]


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "force=true",
        "output_dir=elsewhere",
        "meter.relative_error=0.01",
        "meter.time_budget_s=7",
        "phases=train",
        "hardware.country_iso_code=DEU",
        "hardware.wall_meter={factor: 1.08, offset_w: 40, error_pct: 2.5}",
        "model.paper_row=Other",
        "model.recipe=[{name: train, dataset: imagenet1k, num_samples: 5, num_epochs: 90}]",
        "hardware.slurm.mem_gb=8",
        "repeats=3",
    ],
)
def test_what_only_interprets_a_number_measures_nothing_again(
    compose: Compose, override: str
) -> None:
    assert compose("model=resnet18", override).identity == compose("model=resnet18").identity


@pytest.mark.parametrize(
    "override",
    ["batch_size=16", "precision=bf16", "compile=true", "channels_last=false", "meter=paper",
     "model.input_size=96", "+model.options.drop_rate=0.1", "model.training=deit",
     "data.fraction=0.1", "data.num_workers=1", "data.options.num_files=64", "hardware=one_core",
     "hardware=t4", "hardware.devices=2", "model.source=resnet34"],
)  # fmt: skip
def test_what_changes_a_result_is_another_run(compose: Compose, override: str) -> None:
    assert compose("model=resnet18", override).identity != compose("model=resnet18").identity


@pytest.mark.parametrize(
    ("hardware", "override", "is_another"),
    [
        ("a6000", "hardware.slurm.exclusive=true", True),  # CPU and memory are metered too
        ("a6000", "hardware.slurm.exclusive=false", False),
        ("v100x4", "hardware.slurm.exclusive=false", True),
        ("one_core", "hardware.slurm.exclusive=true", False),  # on CPUs a node is always asked for
    ],
)
def test_whole_nodes_change_what_is_metered(
    compose: Compose, hardware: str, override: str, is_another: bool
) -> None:
    usual, other = compose(f"hardware={hardware}"), compose(f"hardware={hardware}", override)
    assert (usual.identity != other.identity) is is_another


def test_a_stage_of_its_own_size_runs_at_it_unless_the_user_chooses(compose: Compose) -> None:
    assert compose("model=vit_b_in21k").model.input_size == 224
    tuning = compose("model=vit_b_in21k", "stage=last")
    assert (tuning.stage, tuning.model.input_size) == ("supervised", 384)
    assert compose("model=vit_b_in21k", "stage=first").model.input_size == 224
    assert compose("model=vit_b_in21k", "stage=last", "model.input_size=64").model.input_size == 64
    assert [stage.input_size for stage in tuning.model.recipe] == [224, 384]


def test_repetitions_share_an_identity_and_not_a_folder(compose: Compose) -> None:
    plan = compose("model=resnet18", "repeats=3")
    each = list(plan.repetitions())
    assert [(one.repetition, one.seed) for one in each] == [(1, 0), (2, 1), (3, 2)]
    assert compose("model=resnet18", "repeats=3", "repetition=3") == each[2]
    assert {one.identity for one in each} == {plan.identity}
    assert [one.folder.name for one in each] == [
        plan.identity,
        f"{plan.identity}-2",
        f"{plan.identity}-3",
    ]


def class_folders(root: Path, names: list[str]) -> Path:
    for split in ("train", "val"):
        for name in names:
            (root / split / name).mkdir(parents=True)
            Image.new("RGB", (8, 8)).save(root / split / name / "0.png")
        (root / split / ".cache").mkdir()
    return root


def test_class_folders_of_ones_own_are_no_imagenet(compose: Compose, tmp_path: Path) -> None:
    plans = []
    for names in (["cat"], ["cat", "dog", "owl"], ["cat", "dog", "fox"]):
        root = class_folders(tmp_path / f"set{len(plans)}" / "pets", names)
        plans.append(compose("model=resnet18", "data=imagenet", f"data.root={root}"))
    sets = [plan.asked.data for plan in plans]
    assert {(one.name, one.origin) for one in sets} == {("pets", "own")}
    assert [(one.num_classes, one.num_train, one.num_test) for one in sets] == [
        (1, 1, 1),
        (3, 3, 3),
        (3, 3, 3),
    ]
    assert len({plan.identity for plan in plans}) == 3


def test_a_head_of_other_classes_than_the_set_has_is_another_run(
    compose: Compose, tmp_path: Path
) -> None:
    root = class_folders(tmp_path / "pets", ["cat", "dog"])
    own = ("model=resnet18", "data=folder", f"data.root={root}")
    assert compose(*own).identity == compose(*own, "data.options.num_classes=2").identity
    assert compose(*own).identity != compose(*own, "data.options.num_classes=1000").identity


def test_a_module_that_the_users_network_imports_is_part_of_it(
    compose: Compose, tmp_path: Path
) -> None:
    (tmp_path / "nets_of_mine.py").write_text("import numpy\nfrom more.blocks import A\nNet = A\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "blocks.py").write_text("from deeper import A\n")
    own = ("model=own", "model.source=nets_of_mine:Net", f"model.path={tmp_path}")
    identities = set()
    for name in ("unrelated.py", "another.py", "deeper.py"):
        (tmp_path / name).write_text("A = 1\n")
        identities.add(compose(*own).identity)
    assert len(identities) == 2, "what nothing imports is not part of it"


def test_a_number_is_the_same_with_and_without_a_point(compose: Compose) -> None:
    one, other = (compose("model=resnet18", f"+model.options.drop_rate={n}") for n in ("0", "0.0"))
    assert one.identity == other.identity


def test_the_files_place_is_not_part_of_a_set(compose: Compose, tmp_path: Path) -> None:
    one, other = (class_folders(tmp_path / place / "pets", ["cat", "dog"]) for place in "ab")
    plans = [
        compose("model=resnet18", "data=imagenet", f"data.root={root}") for root in (one, other)
    ]
    assert plans[0].identity == plans[1].identity


def test_embedded_files_say_so_and_carry_their_numbers(compose: Compose) -> None:
    data = compose("model=resnet18").asked.data
    assert (data.name, data.origin, data.num_classes) == ("synthetic", "embedded", 1000)
    assert (data.num_train, data.num_test) == (1_281_167, 50_000)
    assert compose("model=pspnet").asked.data.origin == "embedded"
    assert compose("model=resnet18", "data=digits").asked.data.origin == "real"


def test_a_training_set_up_is_asked_by_its_content(compose: Compose) -> None:
    assert compose("model=resnet18").asked.training["optimizer"] == "momentum"
    assert compose("model=vit_b_mae", "stage=pretrain").asked.training["betas"] == (0.9, 0.95)


def test_the_epochs_of_an_action_models_recipe_are_not_asked(compose: Compose) -> None:
    plan = compose("model=uniformerv2_clip")
    changed = compose("model=uniformerv2_clip", "model.options.kinetics400.epochs=60")
    assert changed.model.recipe != plan.model.recipe
    assert changed.identity == plan.identity
