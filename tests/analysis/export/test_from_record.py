"""A record as an export sees it, and its projection as the tables print it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.commands.export import gather
from analysis.export.from_record import run_facts
from analysis.export.training import name_of
from analysis.tables.paper import all_tables
from metering.emissions import SOURCE
from metering.record import Energy, Interval
from metering.record_host import EmissionFactor, Host
from tests.analysis.export.sample_runs import a_run
from tests.analysis.sample_records import a_failure, a_phase, a_record, put


def test_a_window_is_the_sum_of_the_blocks_that_count(tmp_path: Path) -> None:
    phase = a_phase()
    first, *rest = phase.readings
    own = tuple(replace(block, own=Energy(gpu_kwh=1e-3)) for block in rest)
    rate = Interval((9e-3 + 9 * 320 * 1e-6 * 0.2) / (9 * 320), 1e-8, num_blocks=9)
    phase = replace(
        phase,
        readings=(replace(first, use="warm-up"), *own),
        energy_kwh_per_sample=rate,
        duration_s_per_sample=replace(phase.duration_s_per_sample, num_blocks=9),
    )
    put(tmp_path, a_record(phases={"train": phase}))
    [run] = gather([str(tmp_path)])
    train = run.phase("train")
    assert train is not None
    assert (train.num_samples, train.duration_s, len(train.blocks)) == (9 * 320, 9.0, 10)
    assert train.gpu_kwh == pytest.approx(9e-3)  # our own counter, where there is one
    assert train.energy_kwh == pytest.approx(9e-3 + 9 * 320 * 1e-6 * 0.2)


def test_the_projection_is_the_tables_estimate(tmp_path: Path) -> None:
    from analysis.records.load import load

    put(tmp_path, a_record())
    [run] = gather([str(tmp_path)])
    table = all_tables(load([tmp_path]).frame)["table3"]
    printed = table["estimated_train_kwh"].dropna().tolist()
    assert run.projection is not None
    assert [run.projection.kwh] == pytest.approx(printed)
    assert run.projection.device_hours == pytest.approx(1_281_167 * 300 / 320 / 3600)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"scale": "small"}, "scaled-down study"),
        ({"recipe": ()}, "no recipe"),
        ({"input_size": (96, 96)}, "not shown to be at the recipe's input size"),
    ],
)
def test_what_may_not_be_projected_says_why(
    tmp_path: Path, more: dict[str, object], words: str
) -> None:
    put(tmp_path, a_record(**more))
    [run] = gather([str(tmp_path)])
    assert run.projection is None
    assert words in run.projection_missing[0]


def test_the_reader_the_factor_and_a_failure_are_told(tmp_path: Path) -> None:
    factor = EmissionFactor("GBR", 0.25, 2023, "CodeCarbon")
    host = Host(packages={"codecarbon": "3.3.2"}, emissions=factor)
    put(tmp_path, a_record(host=host), a_failure())
    ok, failed = sorted(gather([str(tmp_path)]), key=lambda one: one.status == "failed")
    assert ok.reader == "watt-for-what 0.1.0 with CodeCarbon 3.3.2"
    assert (ok.kg_co2eq_per_kwh, ok.factor_source) == (0.25, "CodeCarbon, 2023, GBR")
    assert failed.failure == "OutOfMemory: batch_size=32 does not fit"


@pytest.mark.parametrize(("is_said", "country"), [(True, "GBR"), (None, None), (False, None)])
def test_an_older_records_default_country_is_nobodys_word(
    is_said: bool | None, country: str | None
) -> None:
    factor = EmissionFactor("GBR", 0.24, 2023, SOURCE, is_said=is_said)
    run = run_facts(a_record(host=Host(emissions=factor)))
    assert run.country_iso_code == country
    assert (run.kg_co2eq_per_kwh is None) == (run.factor_source is None) == (country is None)


@pytest.mark.parametrize(
    ("network", "model", "name"),
    [
        ("swin_tiny_patch4_window7_224", "swin_t", "swin_tiny_patch4_window7_224"),
        ("hf-hub:owner/net", "net", "hf-hub:owner/net"),
        ("__main__:LightningNet", "my-net", "my-net"),
        ("nets:SmallNet", "SmallNet", "nets:SmallNet"),
        (None, "my-net", "my-net"),
        ("/home/alice/configs/mine.py", "mine", "mine"),
        ("mine.py", "mine", "mine"),
        ("<path>", "mine", "mine"),
        ("pspnet/pspnet_r101-d8.py", "pspnet", "pspnet/pspnet_r101-d8.py"),
    ],
)
def test_a_network_of_ones_own_has_the_name_that_was_given(
    network: str | None, model: str, name: str
) -> None:
    run = a_run(network=network, model=model)
    assert name_of(run, None) == name
    assert name_of(run, "Swin-T") == "Swin-T"
