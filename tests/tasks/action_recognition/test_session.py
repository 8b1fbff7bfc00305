"""Action recognition: Table 2's networks count as published, step, test with their views."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from metering.ranks import OneRank
from tasks.action_recognition import session as action_recognition
from tasks.errors import PlanError
from tasks.openmmlab.session import RunnerSession
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow

pytestmark = pytest.mark.trains

SMALL = ("scale=small", "batch_size=2", "data.num_workers=0", "hardware.accelerator=cpu")
NAMES = (
    "timesformer",
    "uniformerv2_in21k",
    "uniformerv2_clip",
    "movinet_a0",
    "i3d",
    "tsm",
    "trn",
)
SETS = ("kinetics400", "sthv2")
# parameters in millions and GMACs of one clip: counted independently on MMAction2 1.2.0, and for
# MoViNet by its authors. UniFormerV2's have the 5.7 GMACs of its fused attention (12 layers of
# 2 x 197^2 x 768 in 8 frames), which is invisible to a counter on the CPU: 148.1 x 12 views is half
# of the 3,600 GFLOPs that its authors print
COUNTED = {
    (row["name"], row["data"]): row
    for row in csv.DictReader((Path(__file__).parent / "action_models.csv").open())
}
# clips x crops of a test sample, as the configs have them
VIEWS = {
    ("tsm", "kinetics400"): 10,
    ("tsm", "sthv2"): 6,
    ("trn", "kinetics400"): 6,
    ("trn", "sthv2"): 6,
    ("i3d", "kinetics400"): 30,
    ("i3d", "sthv2"): 30,
    ("timesformer", "kinetics400"): 3,
    ("timesformer", "sthv2"): 3,
    ("movinet_a0", "kinetics400"): 1,
    ("movinet_a0", "sthv2"): 1,
    ("uniformerv2_clip", "kinetics400"): 12,
    ("uniformerv2_clip", "sthv2"): 3,
    ("uniformerv2_in21k", "kinetics400"): 12,
    ("uniformerv2_in21k", "sthv2"): 3,
}
Session = RunnerSession
Prepare = Callable[..., Session]


@pytest.fixture
def prepared(compose: Callable[..., Plan]) -> Iterator[Prepare]:
    """`prepared("model=tsm", ...)`: a session on the CPU, closed after the test."""
    sessions = []

    def prepare(*overrides: str) -> Session:
        plan = compose(*SMALL, *overrides)
        list(action_recognition.check(plan))
        session = action_recognition.prepare(plan, OneRank(), lambda _: None)
        sessions.append(session)
        return session

    yield prepare
    for session in sessions:
        session.close()


# UniFormerV2's optimizer alone moves gigabytes a step: one of its four rows is enough here, and
# the others of one architecture are left to make test-models
ROWS = [
    pytest.param(
        name,
        data,
        marks=pytest.mark.models
        if (name, data)
        in {
            ("uniformerv2_in21k", "kinetics400"),
            ("uniformerv2_in21k", "sthv2"),
            ("uniformerv2_clip", "sthv2"),
        }
        else (),
    )
    for name in NAMES
    for data in SETS
]


@pytest.mark.parametrize(("name", "data"), ROWS)
def test_a_row_counts_as_published_trains_two_steps_and_tests_one(
    prepared: Prepare, name: str, data: str
) -> None:
    session = prepared(f"model={name}", f"data={data}")
    if (name, data) in COUNTED:
        expected = COUNTED[name, data]
        assert session.facts.params_m == pytest.approx(float(expected["params_m"]), rel=0.01)
        assert session.facts.gmacs == pytest.approx(float(expected["gmacs"]), rel=0.01)
    train, test = CountingWindow(2), CountingWindow(1)
    loss = session.train(train).quality["train_loss"]
    outcome = session.test(test)
    assert train.samples == [2, 2] and len(test.samples) == 1
    assert 0 < loss < 1e3
    assert outcome.views_per_sample == VIEWS[name, data]
    assert outcome.quality == {}, "random weights have no top-1"


@pytest.mark.models
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", SETS)
def test_a_row_steps_at_its_native_size(prepared: Prepare, name: str, data: str) -> None:
    session = prepared(f"model={name}", f"data={data}", "scale=full", "batch_size=1")
    train, test = CountingWindow(2), CountingWindow(1)
    assert session.train(train).quality["train_loss"] > 0
    session.test(test)
    assert train.samples == [1, 1] and len(test.samples) == 1


def test_top1_is_measured_over_the_whole_embedded_set_when_asked_for(prepared: Prepare) -> None:
    session = prepared("model=movinet_a0", "data=sthv2", "data.options.full_test=true")
    session.train(CountingWindow(1))
    quality = session.test(CountingWindow(1)).quality
    # eight clips: a multiple of an eighth
    assert quality["top1_pct"] in {100 * hits / 8 for hits in range(9)}
    assert quality["top1_pct"] <= quality["top5_pct"] <= 100


def test_the_top1_of_a_checkpoint_is_its_own_whatever_is_trained_before(
    prepared: Prepare, tmp_path: Path
) -> None:
    """Eight clips give a coarse top-1, so that the tested weights are compared as well."""
    file = tmp_path / "movinet.pth"
    source = prepared("model=movinet_a0", "data=sthv2")
    source.train(CountingWindow(2))
    source.save(file)
    alone = prepared(
        "model=movinet_a0",
        "data=sthv2",
        f"checkpoint={file}",
        "data.options.full_test=true",
        "phases=[test]",
    )
    top1 = alone.test(CountingWindow(1)).quality["top1_pct"]
    both = prepared(
        "model=movinet_a0", "data=sthv2", f"checkpoint={file}", "data.options.full_test=true"
    )
    both.train(CountingWindow(3))
    assert both.test(CountingWindow(1)).quality["top1_pct"] == top1
    assert 0 <= top1 <= 100
    tested, own = (session.run.model.state_dict() for session in (both, alone))
    assert all(torch.equal(tested[name], value) for name, value in own.items())


@pytest.fixture
def own_root(compose: Callable[..., Plan], tmp_path: Path) -> Path:
    """A set of eight training videos."""
    from tasks.action_recognition.config import SMALL as DIVISOR
    from tasks.action_recognition.data import open_set

    plan = compose(*SMALL, "model=movinet_a0", "data=sthv2", "data.options.num_files=8")
    return shutil.copytree(open_set(plan.data, DIVISOR).root, tmp_path / "set")


def break_two(root: Path) -> None:
    """One is then no video and one is empty."""
    (root / "videos/train_00003.mp4").write_bytes(b"not a video")
    (root / "videos/train_00005.mp4").write_bytes(b"")


def test_broken_videos_are_named_before_anything_is_built(
    prepared: Prepare, own_root: Path
) -> None:
    break_two(own_root)
    for words in (r"train_00005\.mp4 \(it is empty", r"train_00003\.mp4 \(it is no video"):
        with pytest.raises(PlanError, match=rf"{words}.* cannot be decoded; .*on_error=skip"):
            prepared("model=movinet_a0", "data=sthv2", f"data.root={own_root}")
        (own_root / "videos/train_00005.mp4").write_bytes(b"longer than nothing")


def test_a_video_that_breaks_later_is_named_by_a_loader_process_too(
    prepared: Prepare, own_root: Path
) -> None:
    session = prepared(
        "model=movinet_a0", "data=sthv2", f"data.root={own_root}", "data.num_workers=1"
    )
    break_two(own_root)
    with pytest.raises(PlanError, match=r"video .*/train_0000[35]\.mp4 .* cannot be decoded"):
        session.train(CountingWindow(8))


def test_broken_videos_are_left_out_and_counted_when_asked_for(
    prepared: Prepare, own_root: Path
) -> None:
    break_two(own_root)
    session = prepared(
        "model=movinet_a0",
        "data=sthv2",
        f"data.root={own_root}",
        "data.on_error=skip",
        "data.num_workers=1",
    )
    [flag] = session.train(CountingWindow(4)).flags
    # one round of eight videos meets both; the loader is up to two batches ahead
    assert int(flag.split()[0]) >= 2 and "could not be decoded" in flag


def test_any_other_config_of_the_library_runs_by_name(prepared: Prepare) -> None:
    name = "tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb"
    session = prepared("model=mmaction", f"model.config={name}", "phases=[train]")
    assert session.plan.model.name == name
    assert session.train(CountingWindow(1)).quality["train_loss"] > 0


def test_a_fraction_is_a_part_of_the_embedded_clips_too(prepared: Prepare) -> None:
    whole, part = (
        prepared("model=tsm", f"data.fraction={fraction}", "phases=[train]")
        for fraction in (1.0, 0.25)
    )
    num_clips, num_part = (
        len(session.run.runner.train_loop.dataloader.dataset) for session in (whole, part)
    )
    assert num_part == round(0.25 * num_clips) < num_clips
