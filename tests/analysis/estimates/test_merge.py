"""Unlike runs are rows of their own; repetitions are one row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy.stats import t as student

from analysis.estimates.measured import Measured
from analysis.estimates.merge import merge
from analysis.records.load import load
from metering.record import Interval, ModelFacts, Record, Stage
from tests.analysis.sample_records import IMAGES, TRAIN, a_phase, a_record, put

OPTIONS = {"data": "birds", "data_origin": "own", "paper_row": None, "recipe": ()}


def merged(folder: Path, *records: Record) -> list[Measured]:
    return merge(load([put(folder, *records)]).frame)


def train_rate(kwh_per_sample: float, **more: Any) -> dict[str, Any]:
    return {"train": a_phase(kwh_per_sample=kwh_per_sample, **more)}


@pytest.mark.parametrize(
    "unlike",
    [
        [{"network_options": {}}, {"network_options": {"depth": 2}}, {"input_size": (64, 64)}],
        [{}, {"device": None, "num_devices": None}],
        [{}, {"device": "Tesla T4"}],
        [{**OPTIONS, "data_num_classes": number} for number in (1, 3, 10)],
        [{**OPTIONS, "data_class_digest": digest} for digest in ("a", "b")],
        [{}, {"data_origin": "real"}],
        [{}, {"data_fraction": 0.1}],
        [{}, {"batch_size": 64}],
        [{}, {"precision": "bf16"}],
        [{}, {"channels_last": False}],
        [{}, {"compile": True}],
        [{}, {"scale": "small"}],
        [{}, {"num_nodes": 2}],
        [{}, {"power_limit_w": 200.0}],
        [{}, {"mig_profile": "1g.10gb"}],
        [{}, {"cpu_model": "Xeon"}],
        [{}, {"versions": {"torch": "2.11.0"}}],
        [{}, {"network_fingerprint": "ab"}],
        [{}, {"checkpoint_digest": "ab"}],
        [{}, {"sensors": {"gpu": "modelled"}}],
        [{}, {"training": {"name": "deit"}}],
        [{}, {"source_digest": "ab"}],
    ],
    ids=lambda unlike: next(reversed(unlike[-1])),
)
def test_runs_that_differ_in_anything_that_matters_are_rows_of_their_own(
    tmp_path: Path, unlike: list[dict[str, Any]]
):
    records = [
        a_record(phases=train_rate(kwh), **more)
        for kwh, more in zip((1e-6, 2e-6, 3e-6), unlike, strict=False)
    ]
    rows = merged(tmp_path, *records)
    rates = sorted(row.rates["supervised", "train"].kwh_per_sample for row in rows)
    assert rates == [1e-6, 2e-6, 3e-6][: len(unlike)]


def test_the_metered_gpu_counts_not_the_first_of_the_machine(tmp_path: Path):
    """A job on the T4 of a machine that has an A6000 too, of a record of schema 1."""
    import json

    records = []
    for number, gpu in enumerate(("Tesla T4", "NVIDIA RTX A6000")):
        both = [{"name": "NVIDIA RTX A6000", "uuid": "a"}, {"name": "Tesla T4", "uuid": "t"}]
        used = [board for board in both if board["name"] == gpu]
        host = {"gpus": used, "gpu_states": both, "cpu_model": "EPYC"}
        shipped = Path(__file__).parents[3] / "results/records/small/segmentation/mask2former"
        [path] = shipped.rglob("record.json")
        data = json.loads(path.read_text()) | {"host": host, "run_id": f"{number:032x}"}
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "record.json").write_text(json.dumps(data))
        records.append(folder)
    assert sorted(row.device for row in merge(load(records).frame)) == [
        "NVIDIA RTX A6000",
        "Tesla T4",
    ]


def test_what_only_interprets_a_number_makes_no_second_row(tmp_path: Path):
    later = a_record(
        recipe=(Stage("train", dataset="imagenet1k", num_samples=IMAGES, num_epochs=100),),
        started_at="2025-01-01T00:00:00.000+00:00",
        hardware="a6000_of_the_lab",
    )
    [row] = merged(tmp_path, a_record(), later)
    assert row.recipe[0].num_epochs == 100 and row.hardware == "a6000_of_the_lab"
    assert "different recipes" in row.notes[-1]


def test_two_repetitions_are_one_row_with_students_interval_over_runs(tmp_path: Path):
    [row] = merged(tmp_path, a_record(), a_record(phases=train_rate(1.02e-6)))
    rate = row.rates["supervised", "train"]
    assert rate.kwh_per_sample == pytest.approx(1.01e-6)
    assert (rate.num_records, rate.basis) == (2, "between runs")
    standard_error = (0.02e-6 / 2**0.5) / 2**0.5
    assert rate.half_width == pytest.approx(student.ppf(0.975, 1) * standard_error)
    assert len(row.run_ids) == 2 and len(row.paths) == 2 and len(row.identities) == 1


def test_seconds_have_a_spread_of_their_own(tmp_path: Path):
    """Two repetitions alike in energy, of which one took a tenth longer."""
    slower = {"train": a_phase(duration_s_per_sample=Interval(1.1 / 320, 1e-6))}
    [row] = merged(tmp_path, a_record(), a_record(phases=slower))
    rate = row.rates["supervised", "train"]
    assert rate.half_width / rate.kwh_per_sample < 0.05
    assert rate.s_half_width / rate.s_per_sample > 0.5


def test_the_spread_is_pooled_over_the_set_ups_of_one_machine(tmp_path: Path):
    """Two repeated set-ups, and a lone run of a third that the same spread widens."""
    pairs = [
        a_record(batch_size=size, phases=train_rate(kwh))
        for size in (8, 16)
        for kwh in (0.99e-6, 1.01e-6)
    ]
    elsewhere = a_record(device="Tesla T4")
    rows = merged(tmp_path, *pairs, a_record(phases=train_rate(1e-6)), elsewhere)
    of = {
        (row.device, row.setup.asked.batch_size): row.rates["supervised", "train"] for row in rows
    }
    spread = 0.01 * 2**0.5
    pair, lone = of["NVIDIA RTX A6000", 8], of["NVIDIA RTX A6000", 32]
    assert pair.half_width == pytest.approx(
        student.ppf(0.975, 2) * spread * 1e-6 / 2**0.5, rel=1e-6
    )
    widened = (2e-8**2 + (student.ppf(0.975, 2) * spread * 1e-6) ** 2) ** 0.5
    assert lone.half_width == pytest.approx(widened, rel=1e-6)
    assert lone.basis == "within this run and between runs"
    assert of["Tesla T4", 32].basis == "within this run"


def test_a_record_in_two_folders_counts_once(tmp_path: Path):
    record = a_record()
    put(tmp_path / "a", record)
    put(tmp_path / "bundle", record)
    loaded = load([tmp_path])
    [row] = merge(loaded.frame)
    assert row.rates["supervised", "train"].num_records == 1
    [copy] = loaded.copies
    assert "bundle" in copy.path and "a copy of" in copy.reason


PRETRAINED = {
    "model": "vit_b_in21k",
    "paper_row": "ViT-B-Im21k",
    "recipe": (
        Stage("pretrain", dataset="imagenet21k", num_samples=14 * IMAGES, num_epochs=90),
        Stage("finetune", dataset="imagenet1k", num_samples=IMAGES, num_epochs=8, input_size=384),
    ),
}


def test_stages_and_phases_of_one_set_up_are_one_row(tmp_path: Path):
    """A stage may have an input size, a head and a training set-up of its own."""
    pretrain = a_record(
        **PRETRAINED,
        stage="pretrain",
        network_fingerprint="p",
        training={"name": "larger set"},
        data_num_classes=21_843,
        phases=train_rate(3e-6),
    )
    tune = a_record(**PRETRAINED, input_size=(384, 384), network_fingerprint="f")
    [row] = merged(tmp_path, pretrain, tune)
    assert set(row.rates) == {
        ("pretrain", "train"),
        ("supervised", "train"),
        ("supervised", "test"),
    }
    assert row.is_at_recipe_size and row.tier == "counter"


def test_a_pre_training_steps_decoder_makes_it_no_other_network(tmp_path: Path):
    facts = ModelFacts(params_m=111.9)
    shared = {"model": "vit_b_mae", "paper_row": "ViT-B-MAE", "recipe": ()}
    [row] = merged(tmp_path, a_record(**shared, stage="mae", facts=facts))
    assert row.paper_row == "ViT-B-MAE" and row.params_m is None


def test_a_stage_that_was_measured_in_two_ways_gives_two_rows_that_share_the_rest(tmp_path: Path):
    pretrain = a_record(**PRETRAINED, stage="pretrain", phases=train_rate(3e-6))
    tunes = [
        a_record(
            **PRETRAINED, input_size=(384, 384), network_fingerprint=name, phases=train_rate(kwh)
        )
        for name, kwh in (("a", 1e-6), ("b", 2e-6))
    ]
    rows = merged(tmp_path, pretrain, *tunes)
    assert sorted(row.rates["supervised", "train"].kwh_per_sample for row in rows) == [1e-6, 2e-6]
    assert [row.rates["pretrain", "train"].kwh_per_sample for row in rows] == [3e-6, 3e-6]


def test_a_test_phase_stays_with_the_run_that_measured_it(tmp_path: Path):
    both = a_record(network_fingerprint="a")
    train_only = a_record(network_fingerprint="b", phases=train_rate(2e-6))
    first, second = merged(tmp_path, both, train_only)
    assert {len(first.rates), len(second.rates)} == {1, 2}


@pytest.mark.parametrize(
    ("size", "tier"), [(None, "counter"), ((224, 224), "counter"), ((64, 64), "small")]
)
def test_another_input_size_than_the_papers_is_a_study(tmp_path: Path, size: Any, tier: str):
    [row] = merged(tmp_path, a_record(input_size=size))
    assert row.tier == tier


def test_a_network_without_a_row_of_the_paper_has_its_own_size(tmp_path: Path):
    [row] = merged(tmp_path, a_record(paper_row=None, recipe=(), input_size=(64, 64)))
    assert row.tier == "counter"


@pytest.mark.parametrize(
    ("sensors", "device", "tier"),
    [
        ({"gpu": "counter", "cpu": "modelled"}, "Tesla T4", "counter"),
        ({"gpu": "power", "cpu": "rapl"}, "Tesla T4", "power"),
        ({"gpu": "modelled", "cpu": "rapl"}, "Tesla T4", "modelled"),
        ({"gpu": "absent", "cpu": "rapl"}, None, "counter"),
        ({"cpu": "modelled"}, None, "modelled"),
        ({}, None, "modelled"),
    ],
)
def test_the_tier_is_how_the_device_that_computed_was_read(
    tmp_path: Path, sensors: dict[str, str], device: str | None, tier: str
):
    [row] = merged(tmp_path, a_record(sensors=sensors, device=device))
    assert row.tier == tier


@pytest.mark.parametrize(
    "own",
    [
        {"data_origin": "own", "data": "birds"},
        {"data_origin": "own", "data": "imagenet", "data_num_classes": 3},
    ],
)
def test_a_users_own_images_are_never_a_row_of_the_paper(tmp_path: Path, own: dict[str, Any]):
    [row] = merged(tmp_path, a_record(**own))
    assert row.paper_row is None and row.dataset != "ImageNet-1k"
    assert "data of one's own" in row.notes[0]


def test_another_network_under_the_papers_name_is_no_row_of_the_paper(tmp_path: Path):
    [row] = merged(tmp_path, a_record(facts=ModelFacts(params_m=5.0)))
    assert row.paper_row is None and "5 M parameters, not 28.29 M" in row.notes[0]


def test_records_are_in_the_order_of_time_not_of_text(tmp_path: Path):
    """The second started an hour after the first, which its offset hides."""
    early = a_record(recipe=(TRAIN,), started_at="2024-01-01T12:00:00.000+00:00")
    late = a_record(recipe=(), paper_row=None, started_at="2024-01-01T08:00:00.000-05:00")
    [row] = merged(tmp_path, late, early)
    assert row.paper_row is None


def test_every_interval_is_at_95_percent_whatever_the_record_says(tmp_path: Path):
    at_99 = Interval(1e-6, 3e-8, confidence=0.99, num_blocks=10, num_effective_blocks=12.0)
    [row] = merged(tmp_path, a_record(phases=train_rate(1e-6, energy_kwh_per_sample=at_99)))
    expected = 3e-8 * student.ppf(0.975, 11) / student.ppf(0.995, 11)
    assert row.rates["supervised", "train"].half_width == pytest.approx(expected)


def test_an_interval_wider_than_its_number_is_flagged(tmp_path: Path):
    [row] = merged(tmp_path, a_record(phases=train_rate(1e-6, half_width=2.62e-6)))
    assert any("± 262 % is no result" in note for note in row.notes)


def test_nothing_measured_is_no_row(tmp_path: Path):
    assert merge(load([tmp_path]).frame) == []
    assert isinstance(load([tmp_path]).frame, pd.DataFrame)
