"""Videos of the user's, in the containers that there are: sound ones run, and what cannot be
decoded is named before the run."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from metering.ranks import OneRank
from tasks.action_recognition import session as action_recognition
from tasks.action_recognition import video_check
from tasks.errors import PlanError
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow

WIDTH, HEIGHT, NUM_FRAMES = 96, 64, 24
CODECS = {"mp4": "libx264", "avi": "mpeg4", "mkv": "libx264", "webm": "libvpx", "mov": "libx264"}


def write(path: Path, num_frames: int = NUM_FRAMES, durations_ms: tuple[int, ...] = (40,)) -> None:
    """durations_ms: of the frames, in turn."""
    draw, time_ms = np.random.default_rng(0), 0
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(CODECS[path.suffix[1:]], rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = 96, 64, "yuv420p", 1
        if len(durations_ms) > 1:
            stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(num_frames):
            pixels = draw.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if len(durations_ms) > 1:
                frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
                time_ms += durations_ms[index % len(durations_ms)]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def turn(path: Path) -> None:
    """Let the track's matrix turn the picture by 90 degrees, as telephones write it."""
    content = path.read_bytes()
    place = content.index(b"tkhd") + 44
    matrix = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(content[:place] + matrix + content[place + len(matrix) :])


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of each container, with variable frame rates, a turned one and a single frame."""
    folder = tmp_path_factory.mktemp("sound")
    for ending in CODECS:
        write(folder / f"plain.{ending}")
    for ending in ("mp4", "mkv"):
        write(folder / f"variable.{ending}", durations_ms=(20, 40, 120, 33))
    write(folder / "short.mp4", num_frames=1)
    shutil.copy(folder / "plain.mp4", folder / "turned.mp4")
    turn(folder / "turned.mp4")
    return folder


def own_set(root: Path, videos: list[Path]) -> Path:
    """All of them in both splits of MMAction2's Kinetics layout."""
    for split in ("train", "val"):
        (root / f"videos_{split}").mkdir(parents=True)
        for path in videos:
            shutil.copy(path, root / f"videos_{split}")
        lines = [f"{path.name} {index % 2}\n" for index, path in enumerate(videos)]
        (root / f"kinetics400_{split}_list_videos.txt").write_text("".join(lines))
    return root


@pytest.fixture
def planned(compose: Callable[..., Plan], tmp_path: Path) -> Iterator[Callable[..., Plan]]:
    yield lambda root, *more: compose(
        "model=movinet_a0",
        "data=kinetics400",
        f"data.root={root}",
        f"data.cache_dir={tmp_path / 'cache'}",
        "data.options.num_classes=2",
        "scale=small",
        "batch_size=3",
        "data.num_workers=0",
        "hardware.accelerator=cpu",
        *more,
    )


@pytest.mark.trains
def test_a_set_of_mixed_containers_is_trained_and_tested_whole(
    planned: Callable[..., Plan], tmp_path: Path, sound: Path
) -> None:
    videos = sorted(sound.iterdir())
    plan = planned(own_set(tmp_path / "set", videos), "data.options.full_test=true")
    list(action_recognition.check(plan))
    session = action_recognition.prepare(plan, OneRank(), lambda _: None)
    train, test = CountingWindow(3), CountingWindow(9)
    assert session.train(train).quality["train_loss"] > 0
    assert 0 <= session.test(test).quality["top1_pct"] <= 100
    assert sum(train.samples) == 9 and sum(test.samples) == len(videos) == 9
    session.close()


def cut(path: Path) -> Callable[[Path], None]:
    content = path.read_bytes()
    return lambda broken: broken.write_bytes(content[: len(content) * 6 // 10]) and None


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        *[(f"cut.{ending}", f"plain.{ending}", "it is cut off: it has ") for ending in CODECS],
        ("empty.mp4", Path.touch, "it is empty (0 bytes)"),
        ("sound.mp4", write_sound, "it has no video stream"),
        ("text.mp4", lambda path: path.write_text("text"), "it is no video, or damaged"),
        (
            "picture.mp4",
            lambda path: Image.new("RGB", (64, 64)).save(path, "PNG"),
            "it has no length, as a picture has none",
        ),
        ("folder.mp4", Path.mkdir, "Is a directory"),
    ],
)
def test_what_cannot_be_decoded_is_named_before_the_run(
    tmp_path: Path, sound: Path, name: str, make: Any, words: str
) -> None:
    broken = tmp_path / name
    if isinstance(make, str):
        make = cut(sound / make)
    make(broken)
    videos = [sound / "plain.mp4", broken]
    with pytest.raises(PlanError) as refusal:
        video_check.check(videos, tmp_path / "cache", 2)
    assert str(refusal.value).startswith(f"data.root: video {broken} ({words}")
    assert "plain.mp4" not in str(refusal.value) and "\n" not in str(refusal.value)


def test_what_passed_is_remembered_until_it_changes(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = [Path(shutil.copy(sound / "plain.mp4", tmp_path / f"{name}.mp4")) for name in "abc"]
    looked_at: list[str] = []

    def fault(path: Path) -> str | None:
        looked_at.append(path.name)
        return "it is broken" if path.stat().st_size == 7 else None

    monkeypatch.setattr(video_check, "fault", fault)
    for _ in range(2):
        assert video_check.check(videos, tmp_path / "cache", 1) is None
    assert sorted(looked_at) == ["a.mp4", "b.mp4", "c.mp4"]
    videos[1].write_bytes(b"changed")
    for _ in range(2):
        with pytest.raises(PlanError, match=r"b\.mp4 \(it is broken\) cannot be decoded"):
            video_check.check(videos, tmp_path / "cache", 1)
    assert looked_at[3:] == ["b.mp4", "b.mp4"]


def test_a_set_that_is_too_large_for_the_budget_is_noted(tmp_path: Path, sound: Path) -> None:
    videos = sorted(sound.iterdir())
    note = video_check.check(videos, tmp_path / "cache", 1, budget_s=0)
    assert note == (
        "of 9 videos 0 were looked at before the run; one of the others that cannot be decoded "
        "ends it"
    )
