"""Segmentation: Table 1's rows count as published, step, learn, and report a true mIoU."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from metering.ranks import OneRank
from tasks.errors import PlanError
from tasks.openmmlab.session import RunnerSession
from tasks.patches.mmcv import Operators
from tasks.plan import Plan
from tasks.segmentation import session as segmentation
from tasks.segmentation.image_bootstrap import miou_pct
from tests.tasks.counting_window import CountingWindow

pytestmark = pytest.mark.trains

# parameters in millions without auxiliary heads, GMACs at 3 x 512 x 512: counted independently
# on MMSegmentation 1.2.2 (Segmenter with ADE20K's 150 classes, as the paper's 400 G are)
MEASURED = {
    row["name"]: row
    for row in csv.DictReader((Path(__file__).parent / "segmentation_models.csv").open())
}
# a class is a token of Segmenter's decoder: 19 classes take 394.9 GMACs, 150 take 399.6
AS_COUNTED = {"segmenter": ("model.options.num_classes=150",)}
SMALL = ("scale=small", "batch_size=2", "data.num_workers=0", "hardware.accelerator=cpu")
# where 24 GiB hold two images of the native crop; the ViT-L rows fit one
NATIVE_BATCH = dict.fromkeys(MEASURED, 2) | {"segmenter": 1, "setr": 1}

Session = RunnerSession


@pytest.fixture
def prepared(compose: Callable[..., Plan]) -> Iterator[Callable[..., Session]]:
    """`prepared("model=bisenet", ...)`: a session on the CPU, closed after the test."""
    sessions = []

    def prepare(*overrides: str) -> Session:
        session = segmentation.prepare(compose(*SMALL, *overrides), OneRank(), lambda _: None)
        sessions.append(session)
        return session

    yield prepare
    for session in sessions:
        session.close()


# ViT-L, built twice and with its optimizer, takes minutes on two busy cores: with make test-models;
# its rows are stepped with four of their 24 layers below
ROWS = [
    pytest.param(name, marks=pytest.mark.models if name in ("segmenter", "setr") else ())
    for name in sorted(MEASURED)
]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_counts_as_published_trains_two_steps_and_tests_one(
    prepared: Callable[..., Session], name: str
) -> None:
    session = prepared(f"model={name}", *AS_COUNTED.get(name, ()))
    assert session.facts.params_m == pytest.approx(float(MEASURED[name]["params_m"]), rel=0.01)
    assert session.facts.gmacs == pytest.approx(float(MEASURED[name]["gmacs"]), rel=0.01)
    train, test = CountingWindow(2), CountingWindow(1)
    loss = session.train(train).quality["train_loss"]
    outcome = session.test(test)
    assert train.samples == [2, 2] and test.samples == [1]
    assert 0 < loss < 1e3
    assert outcome.quality == {}, "random weights have no mIoU"


@pytest.mark.parametrize("name", ["segmenter", "setr"])
def test_a_vit_l_row_trains_two_steps_and_tests_one_with_four_layers(
    compose: Callable[..., Plan], name: str
) -> None:
    plan = compose(f"model={name}", *SMALL)
    layers: dict[str, Any] = {"model.backbone.num_layers": 4}
    if name == "setr":
        layers["model.backbone.out_indices"] = [0, 1, 2, 3]
    overrides = plan.model.options.get("overrides", {}) | layers
    model = dataclasses.replace(plan.model, options=plan.model.options | {"overrides": overrides})
    session = segmentation.prepare(
        dataclasses.replace(plan, model=model), OneRank(), lambda _: None
    )
    train, test = CountingWindow(2), CountingWindow(1)
    assert 0 < session.train(train).quality["train_loss"] < 1e3
    session.test(test)
    session.close()
    assert train.samples == [2, 2] and test.samples == [1]


@pytest.mark.models
@pytest.mark.timeout(3600)  # ViT-L at its native crop takes long on two cores
@pytest.mark.parametrize("name", sorted(MEASURED))
def test_a_row_steps_at_its_native_size(prepared: Callable[..., Session], name: str) -> None:
    session = prepared(f"model={name}", "scale=full", f"batch_size={NATIVE_BATCH[name]}")
    train, test = CountingWindow(2), CountingWindow(1)
    assert session.train(train).quality["train_loss"] > 0
    session.test(test)
    assert train.samples == [NATIVE_BATCH[name]] * 2 and test.samples == [1]


def test_bisenet_learns_the_embedded_images(compose: Callable[..., Plan]) -> None:
    """Without the schedule's warm-up, whose thousand iterations a test has no time for."""
    plan = compose("model=bisenet", *SMALL, "data.options.num_files=4")
    overrides = {"optim_wrapper.optimizer.lr": 0.02, "param_scheduler": []}
    model = dataclasses.replace(plan.model, options={"overrides": overrides})
    session = segmentation.prepare(
        dataclasses.replace(plan, model=model), OneRank(), lambda _: None
    )
    session.train(CountingWindow(50))
    losses = session.run.runner.message_hub.get_scalar("train/loss").data[0]
    session.close()
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_deformable_attention_says_what_it_ran_on(prepared: Callable[..., Session]) -> None:
    assert any("deformable attention ran" in note for note in prepared("model=mask2former").notes)
    assert not any("deformable" in note for note in prepared("model=bisenet").notes)


@pytest.mark.parametrize(
    ("operators", "on_gpu", "says"),
    [
        ("compiled", True, "mmcv's compiled operator"),
        ("pytorch", True, "PyTorch path (mmcv-lite has no compiled operators: make mmcv-ops)"),
        ("without_cuda", True, "mmcv was compiled without CUDA: make mmcv-ops FORCE_CUDA=1)"),
        ("compiled", False, "PyTorch path (the compiled operator is for GPUs)"),
        ("without_cuda", False, "PyTorch path (the compiled operator is for GPUs)"),
        ("pytorch", False, "PyTorch path (the compiled operator is for GPUs)"),
    ],
)
def test_only_a_gpu_with_its_kernel_runs_the_compiled_operator(
    operators: Operators, on_gpu: bool, says: str
) -> None:
    assert segmentation.attention_path(operators, on_gpu).endswith(says)


def test_miou_is_what_mmsegmentation_and_a_confusion_matrix_give(
    prepared: Callable[..., Session],
) -> None:
    session = prepared("model=bisenet", "data.options.full_test=true")
    session.train(CountingWindow(10))
    quality = session.test(CountingWindow(1)).quality
    miou, runner = quality["miou_pct"], session.run.runner
    with np.load(session.plan.folder / "miou_images.npz") as kept:
        intersect, union = kept["intersect"], kept["union"]
    assert len(union) == quality["num_test_samples"] == len(runner.test_dataloader.dataset)
    assert float(miou_pct(intersect.sum(axis=0), union.sum(axis=0))) == pytest.approx(
        miou, abs=0.006
    )
    assert miou == pytest.approx(_stock_miou(runner))
    assert miou == pytest.approx(_matrix_miou(runner, num_classes=19), abs=0.006)


def _stock_miou(runner: Any) -> float:
    """MMEngine's own test loop and MMSegmentation's own metric over the same network."""
    from mmengine.runner import TestLoop

    loop = TestLoop(runner, runner.test_dataloader, {"type": "IoUMetric", "iou_metrics": ["mIoU"]})
    return float(loop.run()["mIoU"])


def _matrix_miou(runner: Any, num_classes: int) -> float:
    """Mean over the classes that occur of intersection over union, in percent."""
    counts = np.zeros((num_classes, num_classes))
    for batch in runner.test_dataloader:
        with torch.no_grad():
            (result,) = runner.model.test_step(batch)
        truth, guess = (
            field.data.squeeze().numpy() for field in (result.gt_sem_seg, result.pred_sem_seg)
        )
        valid = truth != 255
        np.add.at(counts, (truth[valid], guess[valid]), 1)
    union = counts.sum(axis=0) + counts.sum(axis=1) - np.diag(counts)
    occurs = union > 0
    return float(100 * np.mean(np.diag(counts)[occurs] / union[occurs]))


def test_the_miou_of_a_checkpoint_is_its_own_whatever_is_trained_before(
    prepared: Callable[..., Session], tmp_path: Path
) -> None:
    """Training, whose energy is measured with the same network, moves every weight and buffer."""
    file = tmp_path / "bisenet.pth"
    source = prepared("model=bisenet")
    source.train(CountingWindow(10))
    source.save(file)
    alone = prepared(
        "model=bisenet", f"checkpoint={file}", "data.options.full_test=true", "phases=[test]"
    )
    miou = alone.test(CountingWindow(1)).quality["miou_pct"]
    both = prepared("model=bisenet", f"checkpoint={file}", "data.options.full_test=true")
    assert both.train(CountingWindow(10)).quality["train_loss"] > 0
    assert both.test(CountingWindow(1)).quality["miou_pct"] == miou
    assert 0 < miou <= 100
    assert any("loaded again before testing" in note for note in both.notes)


def test_any_other_config_of_the_library_runs_by_name(prepared: Callable[..., Session]) -> None:
    """A config of another set (ADE20K, 150 classes) is moved to data=cityscapes (19)."""
    session = prepared(
        "model=mmseg", "model.config=segformer_mit-b0_8xb2-160k_ade20k-512x512", "phases=[train]"
    )
    assert session.plan.model.name == "segformer_mit-b0_8xb2-160k_ade20k-512x512"
    assert session.run.model.decode_head.num_classes == 19
    assert session.train(CountingWindow(1)).quality["train_loss"] > 0


def test_a_cascade_runs(prepared: Callable[..., Session]) -> None:
    session = prepared("model=mmseg", "model.config=pointrend_r50_4xb2-80k_cityscapes-512x1024")
    train, test = CountingWindow(1), CountingWindow(1)
    assert session.train(train).quality["train_loss"] > 0
    session.test(test)
    assert train.samples == [2] and test.samples == [1]


@pytest.mark.parametrize(
    ("kind", "folder", "suffix"),
    [("image", "leftImg8bit", "leftImg8bit"), ("mask", "gtFine", "gtFine_labelTrainIds")],
)
@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_broken_file_is_named(
    prepared: Callable[..., Session],
    compose: Callable[..., Plan],
    tmp_path: Path,
    kind: str,
    folder: str,
    suffix: str,
    num_workers: int,
) -> None:
    from tasks.segmentation.data import open_set

    root = shutil.copytree(open_set(compose("model=bisenet").data, 8).root, tmp_path / "a set")
    for file in (root / folder / "train").rglob("*.png"):
        file.write_bytes(b"not a picture")
    session = prepared("model=bisenet", f"data.root={root}", f"data.num_workers={num_workers}")
    named = rf"{kind} {root}/\S*_{suffix}\.png .*cannot be decoded; repair or remove it"
    with pytest.raises(PlanError, match=named):
        session.train(CountingWindow(1))


def test_a_fraction_is_a_part_of_the_embedded_images_too(
    prepared: Callable[..., Session],
) -> None:
    session = prepared("model=bisenet", "data.fraction=0.25", "phases=[train]")
    session.train(CountingWindow(1))
    assert len(session.run.runner.train_dataloader.dataset) == 4, "of 16"


def test_what_the_user_changes_of_a_config_is_noted(prepared: Callable[..., Session]) -> None:
    changed = prepared("model=bisenet", "+model.options.crop=[512,512]", "phases=[train]")
    assert "the config is changed by model.options: crop=[512, 512]" in changed.notes
    as_it_is = prepared("model=bisenet", "phases=[train]")
    assert not any("model.options" in note for note in as_it_is.notes)
