"""Class folders have timm's classes, what would make a false accuracy is refused, and the accuracy
of weights is that of timm's own validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from metering.ranks import OneRank
from tasks.classification import folders, session, setup
from tasks.classification.data import ImageFiles, ImageSet, with_classes
from tasks.classification.unreadable import UnreadableImage
from tasks.errors import PlanError
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow


def written(root: Path, names: list[str], splits: tuple[str, ...] = ("train", "val")) -> Path:
    """Two pictures of noise in each class folder."""
    draw = np.random.default_rng(0)
    for split in splits:
        for name in names:
            folder = root / split / name
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(2):
                pixels = draw.integers(0, 255, (40, 50, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return root


def test_numbered_classes_are_in_natural_order_and_hidden_ones_are_none(tmp_path: Path) -> None:
    root = written(tmp_path, [str(number) for number in range(12)])
    written(root, [".ipynb_checkpoints", "__MACOSX", "3/.cache"])
    (root / "train/1/._0.png").write_bytes(b"Finder's")
    read = folders.read(root)
    assert read.classes == tuple(map(str, range(12)))
    assert len(read.train) == len(read.test) == 24
    assert all(int(path.parent.name) == label for path, label in (*read.train, *read.test))


def test_a_class_map_gives_the_indices(tmp_path: Path) -> None:
    root = written(tmp_path / "set", ["cat", "dog"])
    (tmp_path / "map.txt").write_text("dog\nowl\ncat\n")
    read = folders.read(root, str(tmp_path / "map.txt"))
    assert read.num_classes == 3
    assert {path.parent.name: label for path, label in read.train} == {"cat": 2, "dog": 0}


def test_with_a_class_map_each_split_may_lack_classes(tmp_path: Path) -> None:
    """The map says which number a class has, whatever folders are there."""
    root = written(written(tmp_path / "set", ["cat"]), ["dog"], ("val",))
    (tmp_path / "map.txt").write_text("dog\ncat\n")
    read = folders.read(root, str(tmp_path / "map.txt"))
    assert {path.parent.name: label for path, label in read.test} == {"cat": 1, "dog": 0}
    assert {label for _, label in read.train} == {1}


def test_folders_of_texts_and_those_within_a_class_are_no_classes(tmp_path: Path) -> None:
    root = written(tmp_path, ["cat", "dog"])
    for text in ("train/Annotation/cat.xml", "train/dog/boxes/0.txt"):
        (root / text).parent.mkdir()
        (root / text).touch()
    (root / "train/cat/masks").mkdir()
    assert folders.read(root).classes == ("cat", "dog")


def test_what_would_be_another_label_is_refused(tmp_path: Path) -> None:
    def refused(root: Path, class_map: str | None = None) -> str:
        with pytest.raises(PlanError) as refusal:
            folders.read(root, class_map)
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    empty = written(tmp_path / "empty", ["cat", "dog"])
    (empty / "train/aardvark").mkdir()
    assert "class folder aardvark in train without images" in refused(empty)
    test_only = written(written(tmp_path / "zebra", ["cat"]), ["zebra"], ("val",))
    assert "only for testing zebra" in refused(test_only)
    train_only = written(written(tmp_path / "owl", ["cat"]), ["owl"], ("train",))
    assert "only for training owl" in refused(train_only)
    stray = written(tmp_path / "stray", ["cat"])
    (stray / "train/cat/0.png").rename(stray / "train/0.png")
    assert "lies outside class folders" in refused(stray)
    (tmp_path / "none/train").mkdir(parents=True)
    (tmp_path / "none/val").mkdir()
    assert "holds no images" in refused(tmp_path / "none")
    assert "has no folder val" in refused(written(tmp_path / "half", ["cat"], ("train",)))
    (tmp_path / "map.txt").write_text("dog\n")
    assert "does not have class folder cat" in refused(
        written(tmp_path / "mapped", ["cat", "dog"]), str(tmp_path / "map.txt")
    )
    assert "cannot be read" in refused(tmp_path / "mapped", "absent.txt")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    root = written(tmp_path / "pets", ["cat", "dog"])
    (root / "train/dog").rename(tmp_path / "elsewhere")
    (root / "train/dog").symlink_to("../../elsewhere")
    assert len(folders.read(root).train) == 4
    circles = written(tmp_path / "circles", ["cat", "dog"])
    (circles / "train/again").symlink_to(circles / "train")
    with pytest.raises(PlanError, match=r"the link .*train/again leads to .* which holds it"):
        folders.read(circles)


def test_pictures_that_are_not_read_are_counted(tmp_path: Path) -> None:
    root = written(tmp_path / "pets", ["cat", "dog"])
    Image.new("RGB", (8, 8)).save(root / "val/cat/2.webp")
    (root / "val/cat/3").touch()
    (root / "val/labels.csv").touch()
    (note,) = folders.read(root).notes
    assert note.endswith("alone: 1 without an extension in val, 1 .webp in val") or note.endswith(
        "alone: 1 .webp in val, 1 without an extension in val"
    )


def test_classes_of_one_name_in_several_folders_are_noted(tmp_path: Path) -> None:
    root = written(tmp_path / "dates", ["cat/2021", "cat/2022", "dog/2021"])
    read = folders.read(root)
    assert read.classes == ("2021", "2022")
    assert read.notes == (
        "1 class is in several folders of one name, such as 2021: cat/2021, dog/2021",
    )


def test_names_that_look_alike_are_told(tmp_path: Path) -> None:
    root = written(
        written(tmp_path, ["cat", "caf\u00e9"], ("train",)), ["cat", "cafe\u0301"], ("val",)
    )
    with pytest.raises(PlanError, match="alike but for capitals or the form of their letters"):
        folders.read(root)


def test_class_maps_are_read_as_they_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = written(tmp_path / "set", ["cat", "dog"])
    (tmp_path / "map.txt").write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folders.read(root, "~/map.txt").classes == ("cat", "dog")
    (tmp_path / "twice.txt").write_text("cat\ndog\ncat\n")
    with pytest.raises(PlanError, match="has class folder cat in several lines"):
        folders.read(root, str(tmp_path / "twice.txt"))


def test_an_image_of_16_bits_is_named(tmp_path: Path) -> None:
    """Pillow would cut its numbers off at 255."""
    Image.fromarray(np.full((8, 8), 30_000, np.uint16)).save(tmp_path / "scan.png")
    with pytest.raises(UnreadableImage, match=r"scan.png has more than 8 bits a pixel"):
        ImageFiles(ImageSet([(tmp_path / "scan.png", 0)], 1))[0]


def test_of_one_class_there_is_no_accuracy(compose: Callable[..., Plan], tmp_path: Path) -> None:
    root = written(tmp_path / "one", ["cat"])
    plan = compose("model=resnet18", "data=folder", f"data.root={root}", "batch_size=2")
    plan = with_classes(plan)
    assert not setup.wants_top1(plan)
    assert setup.notes(plan)[-1] == "no accuracy: of one class any network is always right"


def test_a_folder_inside_the_set_is_told_from_the_set(tmp_path: Path) -> None:
    root = written(tmp_path / "pets", ["cat", "dog"])
    for inside in (root / "train", root / "val"):
        with pytest.raises(PlanError, match=f"has both: give data.root={root}$"):
            folders.read(inside)
    with pytest.raises(PlanError, match=r"root/val/<class>/\*.JPEG$"):
        folders.read(tmp_path)


@pytest.mark.parametrize("name", ["synthetic", "tensors", "digits"])
def test_a_folder_that_the_set_would_not_read_is_refused(
    name: str, tmp_path: Path, compose: Callable[..., Plan]
) -> None:
    root = written(tmp_path / "pets", ["cat", "dog"])
    plan = compose("model=resnet18", f"data={name}", f"data.root={root}", "batch_size=2")
    with pytest.raises(PlanError, match=f"is not read by data={name}.* write data=folder"):
        session.check(plan)


def test_a_folder_of_ones_own_is_called_after_itself(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    root = written(tmp_path / "pets", ["cat", "dog", "owl"])
    data = compose("model=resnet18", "data=folder", f"data.root={root}").asked.data
    assert (data.name, data.origin, data.num_classes) == ("pets", "own", 3)


def validated_by_timm(network: torch.nn.Module, root: Path) -> float:
    """Top-1, %, by the steps of timm's validate.py."""
    config = timm.data.resolve_data_config({}, model=network, use_test_size=True)
    loader = timm.data.create_loader(
        timm.data.create_dataset("", root=str(root), split="validation"),
        input_size=config["input_size"],
        batch_size=3,
        interpolation=config["interpolation"],
        mean=config["mean"],
        std=config["std"],
        crop_pct=config["crop_pct"],
        crop_mode=config["crop_mode"],
        num_workers=0,
        device=torch.device("cpu"),
        persistent_workers=False,
    )
    meter = timm.utils.AverageMeter()
    network.eval()
    with torch.no_grad():
        for images, targets in loader:
            (top1,) = timm.utils.accuracy(network(images), targets, topk=(1,))
            meter.update(top1.item(), images.size(0))
    return float(meter.avg)


@pytest.mark.parametrize("name", ["test_resnet.r160_in1k", "test_vit.r160_in1k"])
def test_top1_is_exactly_that_of_timms_validation(
    compose: Callable[..., Plan], tmp_path: Path, name: str
) -> None:
    root = written(tmp_path / "set", [str(number) for number in range(11)])
    torch.manual_seed(3)
    network = timm.create_model(name, num_classes=11)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    plan = compose(
        f"model={name}",
        "data=folder",
        f"data.root={root}",
        f"checkpoint={tmp_path / 'w.pth'}",
        "batch_size=4",
        "phases=[test]",
        "data.num_workers=0",
        "hardware.accelerator=cpu",
    )
    assert list(session.check(plan)) == []
    prepared = session.prepare(plan, OneRank(), lambda _: None)
    quality = prepared.test(CountingWindow(1)).quality
    prepared.close()
    assert quality["num_test_samples"] == 22
    assert quality["top1_pct"] == pytest.approx(validated_by_timm(network, root), abs=1e-4)


def test_labels_of_synthetic_files_mean_nothing_to_weights(
    compose: Callable[..., Plan], tmp_path: Path
) -> None:
    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "w.pth")
    plan = compose(
        "model=test_resnet",
        "model.input_size=64",
        f"checkpoint={tmp_path / 'w.pth'}",
        "batch_size=4",
        "phases=[test]",
        "data.options.num_files=8",
        "data.num_workers=0",
        "hardware.accelerator=cpu",
    )
    prepared = session.prepare(plan, OneRank(), lambda _: None)
    window = CountingWindow(1)
    assert prepared.test(window).quality == {}
    assert "mean nothing to these weights" in " ".join(prepared.notes)
    prepared.close()


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0", None])
def test_an_image_that_cannot_be_decoded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "0.jpg"
    Image.new("RGB", (40, 50)).save(file)
    if content is None:  # so large that Pillow takes it for an attack
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    else:
        file.write_bytes(content)
    with pytest.raises(UnreadableImage, match=r"image \S+0\.jpg cannot be decoded .*; correct or"):
        ImageFiles(ImageSet([(file, 0)], 1))[0]


def test_a_broken_link_says_where_it_leads(tmp_path: Path) -> None:
    link = tmp_path / "0.jpg"
    link.symlink_to("/nowhere/0.jpg")
    with pytest.raises(UnreadableImage, match=r"\(a link to /nowhere/0\.jpg, which is not there\)"):
        ImageFiles(ImageSet([(link, 0)], 1))[0]
