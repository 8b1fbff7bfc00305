"""The plan: what the config tree turns into, and what it refuses."""

from __future__ import annotations

import pytest

from metering.record import Stage
from tasks.config.model_names import yaml_names
from tasks.errors import PlanError

WALL = "hardware.wall_meter"


def test_a_model_by_short_name_is_a_row_of_table_3(compose):
    plan = compose("model=swin_t")
    assert plan.model.source == "swin_tiny_patch4_window7_224"
    assert plan.model.paper_row == "Swin-T"
    assert plan.batch_size == 32
    assert plan.precision == "fp32"


def test_a_timm_name_without_a_yaml_is_a_model_without_a_recipe(compose):
    plan = compose("model=resnet50d")
    assert plan.model.source == "resnet50d"
    assert plan.model.recipe == ()


def test_two_recipes_of_one_network_share_its_definition(compose):
    scratch, pretrained = compose("model=vit_b"), compose("model=vit_b_in21k")
    assert scratch.model.source == pretrained.model.source
    assert [stage.name for stage in pretrained.model.recipe] == ["pretrain", "finetune"]


@pytest.mark.slow
def test_every_recipe_reads_as_stages(compose):
    for name in sorted(yaml_names() - {"mmseg", "mmaction", "own"}):  # these need a source
        for stage in compose(f"model={name}").model.recipe:
            assert isinstance(stage, Stage)


def test_paper_protocol_is_one_epoch_of_a_tenth_of_imagenet(compose):
    assert compose("meter=paper").meter.num_steps == 4004


def test_epochs_of_a_share_of_the_data_are_counted_in_steps(compose):
    fixed = ("meter=fixed", "meter.num_steps=null", "meter.num_epochs=20", "data.fraction=0.01")
    assert compose(*fixed).meter.num_steps == 8008  # 20 x 12,812 images in batches of 32
    with pytest.raises(PlanError, match=r"meter\.num_epochs=20 needs meter=fixed"):
        compose("meter.num_epochs=20")


def test_identity_changes_with_what_changes_the_result_alone(compose):
    plain = compose("model=resnet18")
    assert compose("model=resnet18", "force=true").identity == plain.identity
    assert compose("model=resnet18", "output_dir=elsewhere").identity == plain.identity
    assert compose("model=resnet18", "batch_size=16").identity != plain.identity
    assert compose("model=resnet18", "meter.relative_error=0.01").identity == plain.identity
    assert compose("model=resnet18", "seed=1").identity == plain.identity


def test_a_hardware_profile_may_carry_a_wall_meters_calibration(compose):
    plan = compose(f"{WALL}={{factor: 1.08, offset_w: 40, error_pct: 2.5}}")
    assert plan.hardware.wall_meter == {"factor": 1.08, "offset_w": 40, "error_pct": 2.5}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("batch_size=0", "batch_size=0"),
        ("batch_size=-3", "batch_size=-3"),
        ("batch_size=many", "batch_size=many"),
        ("precision=fp8", "fp32, tf32, bf16, fp16"),
        ("data=imagenet", "data.root"),
        ("data.root=/does/not/exist", "/does/not/exist"),
        ("data.fraction=0", "data.fraction=0"),
        ("data.fraction=2", "data.fraction=2"),
        ("meter.relative_error=-1", "meter.relative_error=-1"),
        ("meter.max_blocks=3", "meter.max_blocks=3"),
        ("checkpoint=/does/not/exist.pth", "checkpoint="),
        ("phases=[]", "[train,test]"),
        ("hardware.devices=3", "divide by 3"),
        ("hardware.wall_meter.factor=1.1", "offset_w and error_pct"),
        ("hardware.country_iso_code=gbr", "three capital letters (ISO 3166), such as GBR"),
        (f"{WALL}={{factor: 0, offset_w: 0, error_pct: 3}}", "wall_meter.factor=0"),
        ("seed=-1", "seed=-1"),
        ("force=perhaps", "force=perhaps"),
    ],
)
def test_bad_input_is_refused_with_the_key_the_value_and_a_cure(compose, override, words):
    with pytest.raises(PlanError) as refusal:
        compose(override)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_checkpoint_or_a_config_that_was_written_anew_makes_another_run(compose, tmp_path):
    checkpoint, config = tmp_path / "weights.pth", tmp_path / "net.py"
    checkpoint.write_bytes(b"one")
    config.write_text("a = 1")
    asked = (f"checkpoint={checkpoint}", "model=mmseg", f"model.config={config}", "data=ade20k")
    first = compose(*asked)
    assert compose(*asked).identity == first.identity
    checkpoint.write_bytes(b"other")
    second = compose(*asked)
    config.write_text("a = 2")
    third = compose(*asked)
    assert len({first.identity, second.identity, third.identity}) == 3
    assert set(third.model.digests) == {"checkpoint", "source"}
