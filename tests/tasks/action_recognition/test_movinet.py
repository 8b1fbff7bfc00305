"""MoViNet-A0: it counts as published, and it tells motions apart."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tasks.data.embedded_videos import Format, write_clip
from tasks.patches import openmmlab as patches

patches.install()

from tasks.action_recognition.movinet import LAYERS, MoViNetA0, MoViNetHead  # noqa: E402
from tasks.network_facts import gmacs, params_m  # noqa: E402

CLIP = Format(width=64, height=48, fps=12, num_frames=8)
LEFT, RIGHT = 4, 0  # of the eight motions


@pytest.mark.parametrize(("num_classes", "expected_m"), [(600, 3.112), (400, 2.702), (174, 2.239)])
def test_parameters_are_those_of_a0_base(num_classes: int, expected_m: float) -> None:
    """Kondratyuk 2021, Table 3: 3.1 M with Kinetics-600's classes."""
    network = torch.nn.Sequential(MoViNetA0(), MoViNetHead(num_classes))
    assert params_m(network) == pytest.approx(expected_m, rel=0.005)


def test_gmacs_are_those_of_a0_base() -> None:
    network = torch.nn.Sequential(MoViNetA0(), MoViNetHead(600))
    assert gmacs(network, network, (1, 3, 50, 172, 172)) == pytest.approx(2.631, rel=0.005)


def test_time_is_never_strided_and_space_five_times() -> None:
    assert len(LAYERS) == 15
    with torch.no_grad():
        features = MoViNetA0().eval()(torch.zeros(1, 3, 5, 64, 96))
    assert features.shape == (1, 480, 5, 2, 3)


def _clips(folder: Path, seeds: range) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips (N, 3, T, H, W) in 0..1 that drift left or right by turns, decoded from MP4 files."""
    import decord

    clips, labels = [], []
    for seed in seeds:
        path = folder / f"{seed}.mp4"
        write_clip(path, (LEFT, RIGHT)[seed % 2], CLIP, seed)
        frames = decord.VideoReader(str(path)).get_batch(range(CLIP.num_frames)).asnumpy()
        clips.append(torch.from_numpy(frames).permute(3, 0, 1, 2) / 255)
        labels.append(seed % 2)
    return torch.stack(clips), torch.tensor(labels)


@pytest.mark.trains
def test_it_learns_to_tell_left_from_right(tmp_path: Path) -> None:
    """A short training; then clips that it has not seen, whose single frames tell nothing."""
    torch.manual_seed(0)
    clips, labels = _clips(tmp_path, range(128))
    network = torch.nn.Sequential(MoViNetA0(), MoViNetHead(2, dropout_ratio=0.0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    for _ in range(80):
        chosen = torch.randperm(112)[:8]
        loss = torch.nn.functional.cross_entropy(network(clips[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        guesses = network(clips[112:]).argmax(1)
    # 13 of 16 by chance: 1 %
    assert (guesses == labels[112:]).sum() >= 13


def test_its_head_is_built_whatever_library_an_earlier_run_left_as_the_default() -> None:
    from mmengine.registry import DefaultScope

    DefaultScope.get_instance("of an earlier run", scope_name="mmengine")
    try:
        assert MoViNetHead(7).classes.out_features == 7
    finally:
        DefaultScope._instance_dict.pop("of an earlier run")
