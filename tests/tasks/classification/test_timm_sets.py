"""Sets that timm's factory opens, written here and run to their end: an accuracy is over every test
sample, and what would be another number is refused."""

from __future__ import annotations

import importlib.util
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from metering.ranks import OneRank
from tasks.classification import session, setup, timm_sets
from tasks.errors import PlanError
from tasks.plan import Plan
from tasks.protocol import PhaseOutcome
from tests.tasks.counting_window import CountingWindow

NUM = {"train": 12, "validation": 9}
CLASSES = 3
COLOUR = 80


def picture(label: int) -> Image.Image:
    return Image.fromarray(np.full((40, 50, 3), COLOUR * label, np.uint8))


def jpeg(label: int) -> bytes:
    stream = io.BytesIO()
    picture(label).save(stream, "JPEG")
    return stream.getvalue()


def hfds(root: Path, classes: int = CLASSES) -> list[str]:
    """Parquet files of a Hugging Face set, one a split; the cache beside them."""
    features = datasets.Features(
        image=datasets.Image(), label=datasets.ClassLabel(names=[f"c{k}" for k in range(classes)])
    )
    for split, number in NUM.items():
        rows = {
            "image": [picture(at % CLASSES) for at in range(number)],
            "label": [at % CLASSES for at in range(number)],
        }
        (root / "mine").mkdir(parents=True, exist_ok=True)
        made = datasets.Dataset.from_dict(rows, features)
        made.to_parquet(str(root / "mine" / f"{split}-00000.parquet"))
    return [f"data.options.dataset=hfds/{root / 'mine'}", f"data.root={root}"]


def hfids(root: Path) -> list[str]:
    """The same as a stream, which has to be told its length."""
    asked = [one.replace("hfds/", "hfids/") for one in hfds(root)]
    return [*asked, "+data.options.train_samples=12", "+data.options.test_samples=9"]


def wds(root: Path, shards: int = 2, broken: bool = False) -> list[str]:
    """Tar files of a webdataset, `shards` a split, and the list of them that timm reads."""
    info = {}
    for split, number in NUM.items():
        names = [f"{split}-{shard}.tar" for shard in range(shards)]
        for shard, name in enumerate(names):
            with tarfile.open(root / name, "w") as tar:
                for at in range(shard, number, shards):
                    image = b"no image" if broken else jpeg(at % CLASSES)
                    for ending, content in (("jpg", image), ("cls", b"%d" % (at % CLASSES))):
                        entry = tarfile.TarInfo(f"{at:04d}.{ending}")
                        entry.size = len(content)
                        tar.addfile(entry, io.BytesIO(content))
        lengths = [len(range(shard, number, shards)) for shard in range(shards)]
        info[split] = {
            "name": split,
            "num_samples": number,
            "filenames": names,
            "shard_lengths": lengths,
        }
    (root / "_info.json").write_text(json.dumps({"splits": info}))
    return ["data.options.dataset=wds/mine", f"data.root={root}"]


def torch_folder(root: Path) -> list[str]:
    for split, number in NUM.items():
        for at in range(number):
            folder = root / {"validation": "val"}.get(split, split) / f"class{at % CLASSES}"
            folder.mkdir(parents=True, exist_ok=True)
            picture(at % CLASSES).save(folder / f"{at}.png")
    return ["data.options.dataset=torch/image_folder", f"data.root={root}"]


def mnist(root: Path) -> list[str]:
    """Grey images in the files of torchvision's MNIST."""
    folder = root / "MNIST/raw"
    folder.mkdir(parents=True)
    for split, number in (("train", NUM["train"]), ("t10k", NUM["validation"])):
        labels = np.arange(number, dtype=np.uint8) % CLASSES
        pixels = np.zeros((number, 28, 28), np.uint8) + COLOUR * labels[:, None, None]
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            head = b"\0\0\x08" + bytes([array.ndim])
            head += b"".join(side.to_bytes(4, "big") for side in array.shape)
            (folder / f"{split}-{kind}-ubyte").write_bytes(head + array.tobytes())
    return ["data.options.dataset=torch/mnist", f"data.root={root}", "data.options.num_classes=10"]


Run = Callable[..., tuple[PhaseOutcome, PhaseOutcome, int]]


@pytest.fixture
def planned(compose: Callable[..., Plan]) -> Callable[..., Plan]:
    def make(*asked: str) -> Plan:
        return compose(
            "model=test_resnet",
            "model.input_size=32",
            "data=timm",
            "batch_size=4",
            f"data.options.num_classes={CLASSES}",
            "data.options.full_test=true",
            "hardware.accelerator=cpu",
            "data.num_workers=0",
            *asked,
        )

    return make


def run(plan: Plan, num_steps: int = 5) -> tuple[PhaseOutcome, PhaseOutcome]:
    """More training steps than the set has batches, and a test of the whole set."""
    assert list(session.check(plan)) == []
    prepared = session.prepare(plan, OneRank(), lambda _: None)
    window = CountingWindow(num_steps)
    outcomes = prepared.train(window), prepared.test(CountingWindow(1))
    assert window.samples == [4] * num_steps
    prepared.close()
    return outcomes


@pytest.mark.trains
@pytest.mark.parametrize(
    ("written", "workers"),
    [(hfds, 2), (hfids, 1), (wds, 2), (wds, 0), (torch_folder, 0), (mnist, 0)],
)
def test_each_kind_is_trained_on_and_tested_to_its_end(
    planned: Callable[..., Plan],
    tmp_path: Path,
    written: Callable[[Path], list[str]],
    workers: int,
) -> None:
    plan = planned(*written(tmp_path), f"data.num_workers={workers}")
    _, test = run(plan)
    assert test.quality["num_test_samples"] == NUM["validation"]


def refusal(plan: Plan) -> str:
    with pytest.raises(PlanError) as refused:
        run(plan)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_broken_samples_are_named_and_not_left_out(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    for workers in (0, 1):
        said = refusal(planned(*wds(tmp_path, broken=True), f"data.num_workers={workers}"))
        assert "sample 00" in said and "train-" in said and "cannot be decoded" in said
    folder = torch_folder(tmp_path / "folder")
    for file in (tmp_path / "folder/train").rglob("*.png"):
        file.write_bytes(b"no image")
    assert "of torch/image_folder cannot be decoded" in refusal(planned(*folder))


def test_a_label_beyond_the_classes_is_named(planned: Callable[..., Plan], tmp_path: Path) -> None:
    plan = planned(*wds(tmp_path), "data.options.num_classes=2")
    assert "has the label 2; labels go from 0 to 1" in refusal(plan)
    told = planned(*mnist(tmp_path), "data.options.num_classes=3")
    assert "torch/mnist has 10 classes" in refusal(told)


def test_what_cannot_be_read_is_said_with_its_cure(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    stream = wds(tmp_path, shards=1)
    assert "use data.num_workers=1 or less" in refusal(planned(*stream, "data.num_workers=2"))
    assert "several ranks do not see" in " ".join(
        setup.notes(planned(*stream, "hardware.devices=2"))
    )
    assert "use data.fraction=1" in refusal(planned(*stream, "data.fraction=0.5"))
    assert "set data.options.test_split" in refusal(planned(*stream, "data.options.test_split=a"))
    unknown = planned(*hfids(tmp_path / "unknown")[:2])
    assert "give +data.options.train_samples=NUMBER" in refusal(unknown)
    own = hfds(tmp_path)
    assert "give data.options.num_classes=3" in refusal(planned(*own, "data.options.num_classes=4"))
    columns = refusal(planned(*own, "+data.options.target_key=kind"))
    assert "no column kind, but image, label" in columns


def test_a_set_of_the_hub_without_a_network_says_where_to_get_it(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach 'owner/pets' on the Hub")

    monkeypatch.setattr("timm.data.create_dataset", unreachable)
    plan = planned("data.options.dataset=hfds/owner/pets")
    with pytest.raises(PlanError, match=r"Hub cannot be reached; .* with the same data\.root"):
        timm_sets.open_split(plan.data, "train", 2, 0)


def test_a_library_that_is_not_there_is_said_with_its_command(
    planned: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    gone = ("datasets", "webdataset", "tensorflow_datasets")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name in gone else real(name, *rest)
    )
    for prefix, package in (
        ("hfds", "datasets"),
        ("wds", "webdataset"),
        ("tfds", "tensorflow-datasets"),
    ):
        said = refusal(planned(f"data.options.dataset={prefix}/mine"))
        assert said.endswith(f"pip install {package}")


@pytest.mark.parametrize("written", [hfds, wds, torch_folder])
def test_sets_of_another_size_are_other_runs(
    planned: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: Callable[[Path], list[str]],
) -> None:
    """Files of one name, once whole and once half."""
    plans = {}
    for number in (12, 6):
        monkeypatch.setitem(NUM, "train", number)
        (tmp_path / str(number)).mkdir()
        plans[number] = planned(*written(tmp_path / str(number)))
    assert {number: plan.asked.data.num_train for number, plan in plans.items()} == {12: 12, 6: 6}
    assert plans[6].asked.data.name == plans[12].asked.data.name
    assert plans[6].asked.data.class_digest == plans[12].asked.data.class_digest
    assert plans[6].identity != plans[12].identity


def test_a_folder_is_as_large_the_next_time(planned: Callable[..., Plan], tmp_path: Path) -> None:
    """The library's copy of the files is not kept among them."""
    plan = planned(*hfds(tmp_path))
    sizes = [len(timm_sets.open_split(plan.data, "train", 4, seed=0)) for _ in range(3)]
    assert sizes == [12, 12, 12]


def test_other_classes_are_other_runs(planned: Callable[..., Plan], tmp_path: Path) -> None:
    digests = set()
    for beginning in ("cat", "car"):
        asked = torch_folder(tmp_path / beginning)
        for folder in tmp_path.glob(f"{beginning}/*/class*"):
            folder.rename(folder.with_name(folder.name.replace("class", beginning)))
        digests.add(planned(*asked).asked.data.class_digest)
    assert len(digests) == 2 and None not in digests


def test_a_set_is_called_after_itself_and_not_after_its_place(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    data = planned(*hfds(tmp_path)).asked.data
    assert (data.name, data.origin, str(tmp_path) in str(data)) == ("hfds/mine", "own", False)


@pytest.mark.parametrize("written", [hfds, hfids, wds, torch_folder, mnist])
def test_other_images_of_one_name_and_size_are_another_set(
    planned: Callable[..., Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: Callable[[Path], list[str]],
) -> None:
    """A copy elsewhere is the same set."""
    plans = []
    for name, colour in (("one", 80), ("copy", 80), ("other", 79)):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(f"{__name__}.COLOUR", colour)
        plans.append(planned(*written(tmp_path / name)))
    one, copy, other = plans
    assert one.asked.data.content_digest is not None
    assert one.identity == copy.identity != other.identity
