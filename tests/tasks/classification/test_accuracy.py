"""An accuracy is that of all samples, or there is none and a flag says why."""

from __future__ import annotations

import pytest
import torch

from metering.ranks import OneRank
from tasks.classification import accuracy


def test_the_first_class_and_the_first_five_count() -> None:
    logits = torch.tensor([[9.0, 8, 7, 6, 5, 4], [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]])
    counts = accuracy.counts(logits, torch.tensor([0, 1, 5]))
    assert counts.tolist() == [1, 2, 0]
    told = accuracy.outcome(OneRank(), counts, 3, None)
    assert told.quality == {
        "top1_pct": pytest.approx(100 / 3),
        "top5_pct": pytest.approx(200 / 3),
        "num_test_samples": 3,
    }


def test_answers_that_are_no_numbers_have_no_accuracy() -> None:
    logits = torch.tensor([[1.0, 0.0], [torch.nan, 0.0]])
    told = accuracy.outcome(OneRank(), accuracy.counts(logits, torch.tensor([0, 0])), 2, None)
    assert told.quality == {}
    assert told.flags == ("no accuracy: of 2 test images 1 were answered with no numbers (nan)",)


@pytest.mark.parametrize("stated", [1, 3])
def test_a_stream_of_another_length_than_it_says_has_no_accuracy(stated: int) -> None:
    told = accuracy.outcome(OneRank(), torch.tensor([1.0, 2.0, 0.0]), 2, stated)
    assert told.quality == {}
    assert f"it has {stated} test samples, and 2 were read" in told.flags[0]
