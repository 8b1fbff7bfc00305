"""`data=tensors`: batches that are decoded once."""

from __future__ import annotations

import torch

from metering.ranks import OneRank
from tasks.classification import session
from tasks.classification.kept_batches import KeptBatches


def test_the_first_batches_are_repeated_to_the_length_of_the_set():
    batches = [(torch.full((2, 3), float(k)), torch.full((2,), k)) for k in range(5)]
    kept = KeptBatches(batches, 2)
    for _ in range(2):
        assert [int(targets[0]) for _, targets in kept] == [0, 1, 0, 1, 0]


def test_a_run_decodes_no_more_than_it_keeps(compose, monkeypatch):
    from tasks.classification.data import ImageFiles

    decoded: list[int] = []
    read = ImageFiles.__getitem__
    monkeypatch.setattr(
        ImageFiles, "__getitem__", lambda self, index: (decoded.append(index), read(self, index))[1]
    )
    plan = compose(
        "model=mobilenet_v2",
        "data=tensors",
        "data.options.kept_batches=2",
        "batch_size=4",
        "model.input_size=32",
        "data.num_workers=0",
        "data.options.num_files=16",
    )
    opened = session.prepare(plan, OneRank(), lambda _: None)
    batches = list(zip(range(6), opened.train_loader, strict=False))
    assert len(batches) == 6
    assert len(decoded) <= 3 * 4  # the loader draws one batch ahead
    assert any("reading and decoding" in note for note in opened.notes)
    assert opened.train_loader.sampler is not None
    opened.close()
