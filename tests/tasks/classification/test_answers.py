"""Networks of the user's own that answer with more than a tensor: the part that is clearly the
logits is used and named, and where there is none the refusal says how to make one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from metering.ranks import OneRank
from tasks.classification import answers, session
from tasks.errors import PlanError
from tasks.plan import Plan
from tests.tasks.counting_window import CountingWindow

OWN = """
import dataclasses
from collections import namedtuple

import torch
from torchvision.models.googlenet import GoogLeNetOutputs
from transformers.modeling_outputs import ImageClassifierOutput

class Net(torch.nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.body = torch.nn.Conv2d(3, 4, 3, 2)
        self.head, self.second, self.third = (torch.nn.Linear(4, num_classes) for _ in range(3))

    def parts(self, images):
        features = self.body(images).relu().mean((2, 3))
        return self.head(features), self.second(features), self.third(features), features

class HuggingFace(Net):
    def forward(self, images):
        logits, *_, features = self.parts(images)
        return ImageClassifierOutput(logits=logits, hidden_states=(features,))

@dataclasses.dataclass
class Output:
    features: torch.Tensor
    logits: torch.Tensor

class Dataclass(Net):
    def forward(self, images):
        logits, *_, features = self.parts(images)
        return Output(features, logits)

class GoogLeNet(Net):
    def forward(self, images):
        logits, second, third, _ = self.parts(images)
        return GoogLeNetOutputs(logits, second, third) if self.training else logits

class Out(Net):
    def forward(self, images):
        logits, second, *_ = self.parts(images)
        return {"aux": second, "out": logits}

class OneEntry(Net):
    def forward(self, images):
        return {"prediction": self.parts(images)[0]}

class Triple(Net):
    def forward(self, images):
        return self.parts(images)[:3]

class WithFeatures(Net):
    def forward(self, images):
        logits, *_, features = self.parts(images)
        return [logits, features]

class OtherInEvaluation(Net):
    def forward(self, images):
        logits = self.parts(images)[0]
        return logits if self.training else {"logits": logits}

class Scores(Net):
    def forward(self, images):
        logits, *_, features = self.parts(images)
        return {"scores": logits, "features": features}

class TwoEntries(Net):
    def forward(self, images):
        return dict(zip("ab", self.parts(images)))

class FeaturesFirst(Net):
    def forward(self, images):
        logits, *_, features = self.parts(images)
        return features, logits

class LossFirst(Net):
    def forward(self, images):
        logits = self.parts(images)[0]
        return namedtuple("Pair", "loss scores")(logits.sum(), logits)

class Map(Net):
    def forward(self, images):
        return {"out": self.body(images)}

class Nothing(Net):
    def forward(self, images):
        return None

class Class(Net):
    def forward(self, images):
        return Output

def made_with_more(**options):
    return Net2(**options)

class Net2(Net):
    def __init__(self, num_classes=1000):
        super().__init__(num_classes)

    def forward(self, images):
        return self.parts(images)[0]
"""
DIGITS = (
    "model=own",
    "data=digits",
    "model.input_size=32",
    "batch_size=4",
    "data.num_workers=0",
    "hardware.accelerator=cpu",
)


@pytest.fixture
def own(compose: Callable[..., Plan], tmp_path: Path) -> Iterator[Callable[..., Plan]]:
    """`own("Net", ...)`: a plan of that network on the digits."""
    (tmp_path / "answering.py").write_text(OWN)
    before = list(sys.path)
    yield lambda name, *more: compose(
        *DIGITS, f"model.source=answering:{name}", f"model.path={tmp_path}", *more
    )
    sys.path[:] = before
    sys.modules.pop("answering", None)


AUXILIARY = "training: of the network's {}, {} is used; the loss adds 0.3 times that of "


def in_both(words: str) -> list[str]:
    return [f"{phase}: of the network's {words}" for phase in ("training", "test")]


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("made_with_more", []),
        ("HuggingFace", in_both("ImageClassifierOutput, logits is used; hidden_states unused")),
        ("Dataclass", in_both("Output, logits is used; features unused")),
        (
            "GoogLeNet",
            [AUXILIARY.format("GoogLeNetOutputs", "logits") + "aux_logits2, aux_logits1"],
        ),
        (
            "Out",
            [
                AUXILIARY.format("dict", "out") + "aux",
                "test: of the network's dict, out is used; aux unused",
            ],
        ),
        ("OneEntry", in_both("dict, prediction is used")),
        (
            "Triple",
            [
                AUXILIARY.format("tuple", "[0]") + "[1], [2]",
                "test: of the network's tuple, [0] is used; [1], [2] unused",
            ],
        ),
        ("WithFeatures", in_both("list, [0] is used; [1] unused")),
        ("OtherInEvaluation", ["test: of the network's dict, logits is used"]),
    ],
)
def test_a_clear_answer_is_trained_and_tested_and_noted(
    own: Callable[..., Plan], name: str, notes: list[str]
) -> None:
    prepared = session.prepare(own(name, "data.options.full_test=true"), OneRank(), lambda _: None)
    assert list(prepared.notes) == notes
    trained = prepared.train(CountingWindow(2))
    assert 0 < trained.quality["train_loss"] < 10
    tested = prepared.test(CountingWindow(2))
    assert tested.quality["num_test_samples"] == 360
    prepared.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "Scores",
            r"answers with dict \(scores: \(4, 10\), features: \(4, 4\)\) for a batch of images, "
            r"not with .*whose forward returns self\.network\(images\)\['scores'\]\)",
        ),
        ("TwoEntries", r"dict \(a: \(4, 10\), b: \(4, 10\)\) .*; return the logits alone, set"),
        ("FeaturesFirst", r"forward returns self\.network\(images\)\[1\]\)"),
        ("LossFirst", r"answers with Pair .*forward returns self\.network\(images\)\.scores\)"),
        ("Map", r"answers with dict \(out: \(4, 4, 15, 15\)\)"),
        ("Nothing", "answers with NoneType for a batch"),
        ("Class", "answers with type for a batch"),
    ],
)
def test_an_answer_without_clear_logits_is_refused_with_the_wrapper_to_write(
    own: Callable[..., Plan], name: str, words: str
) -> None:
    with pytest.raises(PlanError, match=words) as refusal:
        session.prepare(own(name), OneRank(), lambda _: None)
    assert "\n" not in str(refusal.value)


def test_the_loss_weighs_auxiliary_heads_and_only_these() -> None:
    logits, second, targets = torch.randn(4, 10), torch.randn(4, 10), torch.arange(4)
    criterion = torch.nn.CrossEntropyLoss()
    alone, other = criterion(logits, targets), criterion(second, targets)

    def loss(output: object) -> torch.Tensor:
        value: torch.Tensor = answers.loss(criterion, output, targets)
        return value

    assert loss({"logits": logits, "cls_logits": second}) == alone
    assert loss((logits, torch.randn(4, 8))) == alone
    assert loss((logits, second)) == pytest.approx(float(alone + 0.3 * other))
    assert loss({"logits": logits, "aux_logits": second}) == pytest.approx(
        float(alone + 0.3 * other)
    )
    assert loss({"logits": logits, "aux_logits": None}) == alone


def test_parameters_without_gradient_are_told_to_ranks(own: Callable[..., Plan]) -> None:
    """DistributedDataParallel otherwise fails in its second step."""
    from tasks.classification import pretraining, trial

    for name, unused in (("Triple", False), ("HuggingFace", True)):
        findings = trial.run(*pretraining.tried(own(name)), None)
        assert findings.has_unused_parameters is unused
