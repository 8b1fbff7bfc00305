"""Which configs are of one set-up."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.codecarbon.config_names import facts_of
from tests.analysis.records.codecarbon.logs import CONFIG, a_config


def _are_alike(folder: Path, one: str, other: str) -> bool:
    digests = {
        facts_of(a_config(folder / str(at), f"{CONFIG}{text}\n")).digest
        for at, text in enumerate((one, other))
    }
    return len(digests) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("seed: 1", "seed: 2"),
        ("random_seed: 1", "random_seed: 2"),
        ("seed_everything: 1", "seed_everything: 2"),
        ("repetition: 1", "repetition: 2"),
        ("slurm_job_id: 11", "slurm_job_id: 12"),
        ("cache: '${oc.env:SCRATCH}/hub'", "cache: '${oc.env:SCRATCH}/hub'"),
        ("owner: '${oc.env:USER,me}'", "owner: '${oc.env:USER,me}'"),
        ("log_dir: logs/1", "log_dir: logs/2"),
        ("resume_path: a/x.ckpt", "resume_path: b/y.ckpt"),
        ("data_dir: /home/a/imagenet", "data_dir: /scratch/b/imagenet/"),
        ("data: {root: 'D:\\imagenet'}", "data: {root: /imagenet}"),
        ("data_dir: '${oc.env:DATA}'", "data_dir: '${oc.env:DATA}'"),
        ("size: '${twice:2}'", "size: '${twice:2}'"),
    ],
)
def test_seeds_and_places_are_no_difference(tmp_path: Path, one: str, other: str) -> None:
    assert _are_alike(tmp_path, one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lr: 0.1", "lr: 0.2"),
        ("data_dir: /data/cifar10", "data_dir: /data/imagenet"),
        ("dataset: {train_root: /cifar}", "dataset: {train_root: /imagenet}"),
        ("config_path: configs/vit.py", "config_path: configs/swin.py"),
        ("pretrained_path: a.pt", "pretrained_path: b.pt"),
        ("run: {size: 1}", "run: {size: 2}"),
        ("size: '${oc.env:USER_SIZE}'", "size: '${oc.env:USER_SIZE}'"),
        ("size: '${oc.env:SIZE}'", "size: '${oc.env:SIZE}'"),  # may be another in each run
        ("size: '${twice:2}'", "size: '${twice:4}'"),
    ],
)
def test_what_is_trained_and_on_what_is_a_difference(tmp_path: Path, one: str, other: str) -> None:
    assert not _are_alike(tmp_path, one, other)
