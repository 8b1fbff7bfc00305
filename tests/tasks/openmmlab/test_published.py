"""`checkpoint=pretrained` of OpenMMLab configs: a library's published weights, a config's own, or a
refusal that says where the file can be put."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tasks.errors import PlanError
from tasks.openmmlab import published
from tasks.openmmlab.configs import config_path
from tasks.plan import Plan
from tasks.segmentation.session import check

PSPNET = "pspnet_r101-d8_4xb2-80k_cityscapes-512x1024"


@pytest.mark.parametrize(
    ("package", "name", "ending"),
    [
        ("mmseg", PSPNET, ".pth"),
        ("mmaction", "tsm_imagenet-pretrained-r50_8xb16-1x1x8-50e_kinetics400-rgb", "64d69186.pth"),
    ],
)
def test_a_librarys_metafile_says_where_they_are(
    compose: Callable[..., Plan], package: str, name: str, ending: str
) -> None:
    plan = compose("model=mmseg", f"model.config={name}", "checkpoint=pretrained")
    place = published.place_of(plan, config_path(name, package), package)
    assert place.startswith("https://download.openmmlab.com/") and place.endswith(ending)


def test_a_file_put_there_beforehand_is_taken_and_without_it_the_place_is_said(
    compose: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", _no_network)
    plan = compose("model=pspnet", "checkpoint=pretrained")
    assert list(check(plan)) == []
    config = config_path(plan.model.source, "mmseg")
    with pytest.raises(PlanError) as refusal:
        published.with_file(plan, config, "mmseg")
    assert "\n" not in str(refusal.value)
    said = str(refusal.value).split("put it beforehand at ")[1].split(", or give")[0]
    assert said.startswith(f"{tmp_path}/hub/checkpoints/pspnet_r101-d8_512x1024_80k_cityscapes")
    torch.save({"state_dict": {}}, said)
    assert published.with_file(plan, config, "mmseg").model.checkpoint == said
    Path(said).write_bytes(b"")
    with pytest.raises(PlanError, match="is empty"):
        published.with_file(plan, config, "mmseg")


def _no_network(*_: object, **__: object) -> None:
    raise OSError("no network")


def test_a_config_of_ones_own_names_its_weights_or_has_none(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    config = tmp_path / "mine.py"
    config.write_text("load_from = 'mine.pth'\n")
    plan = compose("model=mmseg", f"model.config={config}", "checkpoint=pretrained")
    with pytest.raises(PlanError, match=r"load_from=mine\.pth, which is no file here"):
        list(check(plan))
    torch.save({}, tmp_path / "mine.pth")
    assert published.place_of(plan, config, "mmseg") == str(tmp_path / "mine.pth")
    config.write_text("load_from = None\n")
    with pytest.raises(PlanError, match=r"no weights are published for mine, .* give checkpoint="):
        list(check(plan))
