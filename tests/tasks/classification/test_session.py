"""Classification: every row builds as the paper counts it, real steps run, and training trains."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metering.ranks import OneRank
from tasks.classification import data as classification_data
from tasks.classification import session as classification
from tasks.classification.networks import model_facts
from tasks.config.model_names import CONF_DIR, yaml_names
from tasks.errors import OutOfMemory, PlanError
from tasks.plan import Plan
from tasks.running import device
from tests.tasks.counting_window import CountingWindow

# name, parameters in millions, GMACs: counted independently on timm 1.0.31
MEASURED = {
    row["name"]: row
    for row in csv.DictReader((Path(__file__).parent / "classification_models.csv").open())
}
ONE_OF_EACH_FAMILY = (
    "mobilenet_v2", "mobilenet_v3", "resnet18", "vgg16", "densenet121", "inception_v3",
    "efficientnet_b0", "efficientnetv2_s", "regnety_16gf", "vit_b", "swin_t", "swinv2_t",
    "deit_t", "vit_b_mae", "davit_t", "clip_b16", "beitv2_b", "efficientformer_l1",
    "efficientformerv2_s0", "convnext_t",
)  # fmt: skip
# the embedded files, few, and read in this process
SMALL = ("data.options.num_files=16", "data.options.train_samples=64", "data.num_workers=0")


def classification_names() -> list[str]:
    texts = {name: (CONF_DIR / "model" / f"{name}.yaml").read_text() for name in yaml_names()}
    return sorted(name for name in texts if name in MEASURED)


def test_all_67_rows_of_table_3_are_models():
    assert len(classification_names()) == len(MEASURED) == 67


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ONE_OF_EACH_FAMILY else pytest.mark.slow)
        for name in sorted(MEASURED)
    ],
)
def test_parameters_and_gmacs_are_those_of_the_network(compose, name):
    facts = model_facts(compose(f"model={name}"))
    assert facts.params_m == pytest.approx(float(MEASURED[name]["params_m"]), rel=0.01)
    assert facts.gmacs == pytest.approx(float(MEASURED[name]["gmacs"]), rel=0.01)


@pytest.fixture
def step(compose) -> Callable[..., tuple[CountingWindow, CountingWindow]]:
    """Two training steps and one test step of a model, on the CPU."""

    def run(*overrides: str) -> tuple[CountingWindow, CountingWindow]:
        session = prepared(compose(*SMALL, "hardware.accelerator=cpu", *overrides))
        train, test = CountingWindow(2), CountingWindow(1)
        try:
            loss = session.train(train).quality["train_loss"]
            session.test(test)
        finally:
            session.close()
        assert math.isfinite(loss)
        return train, test

    return run


def prepared(plan: Plan) -> classification.ClassificationSession:
    return classification.prepare(plan, OneRank(), lambda _: None)


@pytest.mark.trains
@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_a_model_of_every_family_trains_two_steps_and_tests_one(step, name):
    train, test = step(f"model={name}", "batch_size=2", *smaller(name))
    assert train.samples == [2, 2]
    assert test.samples == [2]


def smaller(name: str) -> tuple[str, ...]:
    """Fewer pixels where the network takes any size."""
    return ("model.input_size=96",) if name.startswith(("efficientnet", "vgg")) else ()


@pytest.mark.models
@pytest.mark.parametrize("name", sorted(MEASURED))
def test_every_model_trains_two_steps_and_tests_one_at_its_own_size(step, name):
    train, test = step(f"model={name}", "batch_size=2")
    assert train.samples == [2, 2]
    assert test.samples == [2]


@pytest.mark.trains
@pytest.mark.parametrize("option", ["precision=bf16", "channels_last=false"])
def test_options_of_the_step_run(step, option):
    step("model=test_resnet", "batch_size=4", option)


@pytest.mark.trains
def test_training_on_real_digits_reaches_95_percent_top1(compose):
    plan = compose(
        "model=test_resnet",
        "data=digits",
        "model.input_size=32",
        "meter=fixed",
        "hardware.accelerator=cpu",
    )
    session = prepared(plan)
    session.train(CountingWindow(180))
    quality = session.test(CountingWindow(2)).quality
    session.close()
    assert quality["num_test_samples"] == 360
    assert quality["top1_pct"] >= 95


@pytest.mark.trains
def test_random_weights_report_no_accuracy(compose):
    session = prepared(compose(*SMALL, "model=test_resnet", "batch_size=4"))
    assert session.test(CountingWindow(1)).quality == {}
    session.close()


@pytest.mark.trains
def test_a_checkpoint_is_loaded_and_its_accuracy_measured(compose, tmp_path):
    import torch

    plan = compose("model=test_resnet", "data=digits", "model.input_size=32")
    first = prepared(plan)
    first.train(CountingWindow(120))
    expected = first.test(CountingWindow(1)).quality["top1_pct"]
    torch.save(first.network.state_dict(), tmp_path / "weights.pth")
    second = prepared(
        compose(
            "model=test_resnet",
            "data=digits",
            "model.input_size=32",
            f"checkpoint={tmp_path / 'weights.pth'}",
        )
    )
    assert second.test(CountingWindow(1)).quality["top1_pct"] == pytest.approx(expected)
    second.optimizer.param_groups[0]["lr"] = 0.5  # training moves the weights far away
    second.train(CountingWindow(5))
    assert second.test(CountingWindow(1)).quality["top1_pct"] == pytest.approx(expected)


def test_a_checkpoint_of_another_model_is_refused_in_one_line(compose, tmp_path):
    import torch

    torch.save({"other.weight": torch.zeros(2)}, tmp_path / "other.pth")
    plan = compose(*SMALL, "model=test_resnet", f"checkpoint={tmp_path / 'other.pth'}")
    with pytest.raises(
        PlanError, match=r"other\.pth does not fit model=test_resnet: .*; give weights"
    ):
        prepared(plan)


def test_a_checkpoint_in_the_home_folder_is_found(compose, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "weights.pth").write_bytes(b"")
    plan = compose("model=test_resnet", "checkpoint='~/weights.pth'")
    assert plan.model.checkpoint == str(tmp_path / "weights.pth")


def test_embedded_classes_can_be_told_apart(compose):
    """A nearest-mean rule over orientation spectra, learnt on train, holds on val."""
    import numpy as np
    from PIL import Image

    train, test = classification_data.open_sets(compose("data.options.num_files=64").data, 0)

    def spectrum(path: Path) -> np.ndarray:
        grey = np.asarray(Image.open(path).convert("L"), float)[:360, :360]
        magnitudes = np.abs(np.fft.rfft2(grey - grey.mean()))[:60, :60]
        return magnitudes / magnitudes.sum()

    labels = sorted({label for _, label in train.files})
    means = [
        np.mean([spectrum(path) for path, label in train.files if label == wanted], axis=0)
        for wanted in labels
    ]
    hits = [
        labels[int(np.argmin([np.abs(spectrum(path) - mean).sum() for mean in means]))] == label
        for path, label in test.files
    ]
    assert np.mean(hits) > 0.9


@pytest.fixture
def imagenet(tmp_path) -> Iterator[Path]:
    """A tiny folder in ImageNet's layout: two classes of four images."""
    from PIL import Image

    for split in ("train", "val"):
        for name in ("n01440764", "n01443537"):
            folder = tmp_path / "imagenet" / split / name
            folder.mkdir(parents=True)
            for index in range(4):
                Image.new("RGB", (64, 48), (index * 40, 0, 90)).save(folder / f"{index}.JPEG")
    yield tmp_path / "imagenet"


def test_imagenet_layout_is_read_and_a_seeded_part_of_it_taken(compose, imagenet):
    whole = compose("data=imagenet", f"data.root={imagenet}")
    half = compose("data=imagenet", f"data.root={imagenet}", "data.fraction=0.5")
    assert classification_data.open_sets(whole.data, 0)[0].num_samples == 8
    parts = [classification_data.open_sets(half.data, seed)[0].files for seed in (0, 0, 1)]
    assert len(parts[0]) == 4
    assert parts[0] == parts[1] != parts[2]


def test_a_missing_split_says_which_folders_were_expected(compose, imagenet):
    (imagenet / "val").rename(imagenet / "other")
    with pytest.raises(PlanError, match="no folder val; expected root/train/<class>"):
        prepared(compose("data=imagenet", f"data.root={imagenet}", "batch_size=2"))


@pytest.mark.trains
@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_named(compose, imagenet, workers):
    for bad in sorted((imagenet / "train").rglob("*.JPEG")):
        bad.write_bytes(b"not an image")
    session = prepared(
        compose(
            "model=test_resnet",
            "data=imagenet",
            f"data.root={imagenet}",
            "batch_size=2",
            f"data.num_workers={workers}",
        )
    )
    with pytest.raises(PlanError, match=r"^image \S+\d\.JPEG cannot be decoded"):
        session.train(CountingWindow(1))
    session.close()


def test_out_of_memory_names_the_batch_and_is_never_a_smaller_one(compose):
    with (
        pytest.raises(OutOfMemory, match="batch_size=8 does not fit"),
        device.memory_errors(8),
    ):
        import torch

        torch.empty(1 << 60)
