"""What a network cannot take is refused before anything is built, and what it can is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metering.ranks import OneRank
from tasks.classification import pretraining, session, trial
from tasks.errors import PlanError
from tasks.plan import Plan

GIB = 2**30
OWN = """
import torch
from timm.models import register_model

class Net(torch.nn.Module):
    def __init__(self, num_classes=10, width=4):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Conv2d(3, width, 3, 2), torch.nn.ReLU())
        self.head = torch.nn.Linear(width, num_classes)

    def forward(self, images):
        return self.head(self.body(images).mean((2, 3)))

def looks_at_numbers(num_classes=10):
    net = Net(num_classes)
    net.scale = float(net.head.weight.sum())
    return net

class LooksAtItsImages(Net):
    def forward(self, images):
        return super().forward(images) * float(images.mean())

class LooksWhenEvaluated(Net):
    def forward(self, images):
        logits = super().forward(images)
        if not self.training and bool(logits.isnan().any()):
            raise ValueError("no number")
        return logits

class LooksAtGradients(Net):
    def forward(self, images):
        logits = super().forward(images)
        if logits.requires_grad:
            logits.register_hook(lambda gradient: gradient / float(gradient.norm() + 1))
        return logits

class Wrong(Net):
    def forward(self, images):
        return self.head(images[..., : int(images.abs().sum()) + 7])

class NothingToLearn(torch.nn.Module):
    def forward(self, images):
        return images.mean((2, 3))

def headless():
    return torch.nn.Conv2d(3, 4, 3)

def nothing():
    return None

class Lazy(torch.nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.body, self.head = torch.nn.LazyConv2d(4, 3, 2), torch.nn.LazyLinear(num_classes)

    def forward(self, images):
        return self.head(self.body(images).relu().mean((2, 3)))

class Frozen(Net):
    def __init__(self, num_classes=10):
        super().__init__(num_classes)
        self.requires_grad_(False)

class Detached(Net):
    def forward(self, images):
        return super().forward(images).detach()

class ChangesInPlace(Net):
    def forward(self, images):
        values = self.body(images).sigmoid()
        squares = values * values
        values += 1
        return self.head((values * squares).mean((2, 3)))

class Complex(Net):
    def forward(self, images):
        return super().forward(images).to(torch.complex64)

class Squeezed(Net):
    def forward(self, images):
        return super().forward(images)[:, :, None].squeeze()

class ByPixel(Net):
    def forward(self, images):
        return self.head(self.body(images).permute(0, 2, 3, 1).reshape(-1, 4))

class Misbuilt(Net):
    def __init__(self, num_classes=10):
        raise KeyError("width")

def ended(num_classes=10):
    raise SystemExit("no GPU")

@register_model
def my_registered_net(pretrained=False, num_classes=10, **kwargs):
    return Net(num_classes)
"""


@pytest.fixture
def nets(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "mynets.py").write_text(OWN)
    before = list(sys.path)
    yield tmp_path
    sys.path[:] = before
    sys.modules.pop("mynets", None)


def tried(plan: Plan, total_memory: int | None = None) -> None:
    trial.run(*pretraining.tried(plan), total_memory)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["model=test_resnet", "model.input_size=32", "batch_size=1"], "batch normalisation"),
        (["model=test_vit", "+model.options.patch_size=999"], "cannot"),
        (["model=inception_v3", "model.input_size=32"], "cannot take images of 3 x 32 x 32"),
    ],
)
def test_what_cannot_work_is_one_line(
    compose: Callable[..., Plan], asked: list[str], words: str
) -> None:
    with pytest.raises(PlanError) as refusal:
        tried(compose(*asked))
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_memory_that_cannot_suffice_is_said_with_both_numbers(
    compose: Callable[..., Plan],
) -> None:
    plan = compose("model=vit_b", "batch_size=256")
    with pytest.raises(PlanError, match=r"needs at least \d+\.\d GiB on each device .*which has 8"):
        tried(plan, 8 * GIB)
    tried(compose("model=vit_b", "batch_size=2"), 8 * GIB)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["model.training=deit", "batch_size=3"], "mixes images in pairs"),
        (["model.training=deit", "batch_size=6", "hardware.devices=2"], "odd batch of 3"),
        (["+model.options.in_chans=1"], "images are read as RGB"),
        (["+model.options.num_classes=5"], "set data.options.num_classes"),
        (["data=digits", "batch_size=2000"], "more than the 1437 training images"),
        (["data=digits", "data.fraction=0.01"], "more than the 14 training images"),
        (["data.options.num_files=0"], "data.options.num_files=0"),
    ],
)
def test_what_is_known_beforehand_is_said_beforehand(
    compose: Callable[..., Plan], asked: list[str], words: str
) -> None:
    with pytest.raises(PlanError, match=words):
        list(session.check(compose("model=test_resnet", *asked)))


@pytest.mark.parametrize(
    "name",
    [
        "Net",
        "looks_at_numbers",
        "LooksAtItsImages",
        "LooksWhenEvaluated",
        "LooksAtGradients",
        "Lazy",
    ],
)
def test_a_network_of_ones_own_is_built_and_tested(
    compose: Callable[..., Plan], nets: Path, name: str
) -> None:
    plan = compose(
        "model=own",
        f"model.source=mynets:{name}",
        f"model.path={nets}",
        "data=digits",
        "model.input_size=32",
        "batch_size=4",
        "data.num_workers=0",
        "hardware.accelerator=cpu",
    )
    assert (plan.model.name, plan.asked.network) == (name, f"mynets:{name}")
    prepared = session.prepare(plan, OneRank(), lambda _: None)
    assert prepared.facts.params_m == pytest.approx((3 * 4 * 9 + 4 + 4 * 10 + 10) / 1e6)
    prepared.close()


def test_a_network_that_a_module_registers_with_timm_is_built(
    compose: Callable[..., Plan], nets: Path
) -> None:
    plan = compose(
        "model=own",
        "model.source=my_registered_net",
        "model.import=[mynets]",
        f"model.path={nets}",
        "batch_size=4",
        "hardware.accelerator=cpu",
    )
    assert plan.model.name == "my_registered_net"
    tried(plan)


def test_a_change_of_the_users_module_is_another_run(
    compose: Callable[..., Plan], nets: Path
) -> None:
    asked = ("model=own", "model.source=mynets:Net", f"model.path={nets}")
    before = compose(*asked)
    (nets / "mynets.py").write_text(OWN + "\n# changed\n")
    assert compose(*asked).identity != before.identity


@pytest.mark.parametrize("source", ["mynets.py:Net", "{nets}/mynets.py:Net", "mynets.Net"])
def test_a_callable_that_is_named_in_another_way_is_told_in_ours(
    compose: Callable[..., Plan], nets: Path, source: str
) -> None:
    source = source.format(nets=nets)
    plan = compose("model=own", f'model.source="{source}"', f"model.path={nets}")
    with pytest.raises(PlanError, match=r"write model\.source=mynets:Net"):
        list(session.check(plan))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("mynets:headless", "answers with"),
        ("mynets:nothing", "gives a NoneType, not a torch.nn.Module"),
        ("mynets:absent", "has no absent"),
        ("mynets:NothingToLearn", "has no parameters"),
        ("mynets:Wrong", "cannot take images of .*mat1 and mat2 shapes"),
        ("mynets:Frozen", "has no parameter that is trained"),
        ("mynets:Detached", "its backward pass fails: RuntimeError: element 0 of tensors"),
        ("mynets:ChangesInPlace", "its backward pass fails: .*modified by an inplace operation"),
        ("mynets:Complex", "answers with complex64, not with real numbers"),
        ("mynets:ByPixel", r"answers with \(.*, 1000\) for a batch of 32 images, not with \(32"),
        ("mynets:Misbuilt", "cannot be made: KeyError: 'width'"),
        ("mynets:ended", "cannot be made: SystemExit: no GPU"),
    ],
)
def test_what_is_no_classifier_is_said(
    compose: Callable[..., Plan], nets: Path, source: str, words: str
) -> None:
    plan = compose("model=own", f"model.source={source}", f"model.path={nets}")
    with pytest.raises(PlanError, match=words):
        tried(plan)


def test_the_last_batch_of_a_test_is_tried_with_its_few_images(
    compose: Callable[..., Plan], nets: Path
) -> None:
    """Of 360 images 359 fill a batch, and the last is alone: `squeeze` takes its batch away."""
    asked = ("model=own", "model.source=mynets:Squeezed", f"model.path={nets}", "data=digits")
    with pytest.raises(PlanError, match="for a test batch of 1 image, not with"):
        tried(compose(*asked, "model.input_size=32", "batch_size=359"))
    tried(compose(*asked, "model.input_size=32", "batch_size=360"))


def test_a_module_that_ends_the_program_is_told(compose: Callable[..., Plan], nets: Path) -> None:
    (nets / "mynets.py").write_text("import sys\n\ndef Net():\n    pass\n\nsys.exit(0)\n")
    with pytest.raises(PlanError, match="module mynets ends the program while it is imported"):
        tried(compose("model=own", "model.source=mynets:Net", f"model.path={nets}"))
