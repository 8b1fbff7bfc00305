"""How many samples a config says were processed, and what makes that unclear."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.records.codecarbon.config_names import facts_of
from tests.analysis.records.codecarbon.logs import a_config


@pytest.mark.parametrize(
    ("config", "samples", "note"),
    [
        ("num_samples: 100", 100, None),
        ("num_samples: 100\ntrainer: {max_epochs: 5}", 100, "beside trainer.max_epochs 5"),
        ("data: {num_samples: 100}", 100, None),
        ("data: {num_samples: 100}\ntrainer: {max_epochs: 5}", None, "not clear"),
        ("num_samples: auto", None, "num_samples: 'auto' is not a whole number"),
        ("data: {num_samples: 50k}", None, "data.num_samples: '50k' is not a whole number"),
        ("a: {num_samples: 100}\nb: {num_samples: 50}", None, "b.num_samples 50"),
    ],
)
def test_the_number_of_samples(
    tmp_path: Path, config: str, samples: int | None, note: str | None
) -> None:
    facts = facts_of(a_config(tmp_path, config))
    assert facts.num_samples == samples
    assert (note or "") in facts.sample_notes.get("train", "")
    assert bool(note) == bool(facts.sample_notes)


@pytest.mark.parametrize(
    "limit",
    [
        "limit_train_batches: 0.1",
        "limit_train_batches: 1",  # one batch
        "trainer: {limit_train_batches: 50}",
        "trainer: {max_steps: 100}",
        "max_steps: 100",
        "trainer: {fast_dev_run: true}",
        "trainer: {overfit_batches: 0.01}",
        "trainer: {max_time: '00:01:00:00'}",
        "optim: {num_iterations: 5}",
        "data: {subset: 0.1}",
        "max_train_samples: 50",
        "callbacks: {early_stopping: {_target_: EarlyStopping, patience: 5}}",
        "early_stopping: true",
        "ckpt_path: last.ckpt",
        "resume: true",
    ],
)
@pytest.mark.parametrize("size", ["num_samples: 10000", "datamodule: {num_images: 10000}"])
def test_what_may_end_training_early_leaves_no_number(
    tmp_path: Path, limit: str, size: str
) -> None:
    facts = facts_of(a_config(tmp_path, f"{size}\nbatch_size: 32\n{limit}\n"))
    assert facts.num_samples is None
    assert f"10000 beside {limit.split(':', maxsplit=1)[0]}" in facts.sample_notes["train"]


@pytest.mark.parametrize(
    "limit",
    [
        "limit_train_batches: 1.0",
        "trainer: {max_steps: -1, fast_dev_run: false, overfit_batches: 0.0, max_time: null}",
        "max_steps: 313",  # x 32 = 10,016: the 10,000 samples with a last batch of 16
        "limit_val_batches: 5",
        "early_stopping: {enabled: false, patience: 3}",
        "early_stopping: false",
        "resume: null",
        "scheduler: {patience: 3}",
    ],
)
def test_what_limits_nothing_leaves_the_number(tmp_path: Path, limit: str) -> None:
    facts = facts_of(a_config(tmp_path, f"num_samples: 10000\nbatch_size: 32\n{limit}\n"))
    assert facts.num_samples == 10_000
    assert not facts.sample_notes


@pytest.mark.parametrize(
    ("config", "samples"),
    [
        ("phase: test\nlimit_test_batches: 5", None),
        ("phase: test\nlimit_train_batches: 5\ntrainer: {max_epochs: 9}", 1000),
        ("trainer: {max_steps: '${oc.env:STEPS}'}", None),  # Hydra alone knows
        ("trainer: {limit_train_batches: '${share}'}\nshare: 1.0", 1000),
    ],
)
def test_the_phase_and_references_decide_what_limits(
    tmp_path: Path, config: str, samples: int | None
) -> None:
    facts = facts_of(a_config(tmp_path, f"num_samples: 1000\n{config}\n"))
    assert facts.num_samples == samples
    assert (samples is None) == bool(facts.sample_notes)


def test_a_limit_of_testing_is_none_of_training(tmp_path: Path) -> None:
    config = "num_samples: 1000\nnum_test_samples: 50\ntrainer: {limit_test_batches: 2}\n"
    facts = facts_of(a_config(tmp_path, config))
    assert (facts.num_samples, facts.num_test_samples) == (1000, None)
    assert list(facts.sample_notes) == ["test"]


@pytest.mark.parametrize(
    ("config", "processes"),
    [
        ("trainer: {devices: 4, num_nodes: 2}", 8),
        ("trainer: {devices: auto}", None),
        ("trainer: {devices: [0, 2]}", 2),
        ("world_size: 3", 3),
        ("devices: -1", None),
    ],
)
def test_the_number_of_processes(tmp_path: Path, config: str, processes: int | None) -> None:
    assert facts_of(a_config(tmp_path, config)).num_processes == processes
