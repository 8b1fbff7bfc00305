"""Orders of networks: as printed and between devices, with their n and power."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.claims.claim import FAILS, OPEN, Claim
from analysis.claims.order import as_printed, on_other_hardware
from analysis.estimates.merge import merge
from analysis.records.load import load
from metering.record import Record
from tests.analysis.sample_records import a_phase, a_record, put

NETWORKS = ("MobileNetv2", "ResNet50", "Swin-T", "Swin-B", "ViT-L-scratch")


def runs_of(rates: dict[str, float], **more: Any) -> list[Record]:
    """A run of each network, testing at this many kWh an image, training at four times that."""
    return [
        a_record(
            model=name,
            paper_row=name,
            phases={
                "train": a_phase("train", 4 * kwh, kwh / 50),
                "test": a_phase("test", kwh, kwh / 50),
            },
            **more,
        )
        for name, kwh in rates.items()
    ]


def in_order(*names: str) -> dict[str, float]:
    return {name: (k + 1) * 1e-7 for k, name in enumerate(names)}


def printed(tmp_path: Path, *records: Record) -> Claim:
    return as_printed(merge(load([put(tmp_path, *records)]).frame))


def elsewhere(tmp_path: Path, *records: Record) -> Claim:
    return on_other_hardware(merge(load([put(tmp_path, *records)]).frame))


def test_five_networks_in_the_printed_order_are_too_few_to_show_it(tmp_path: Path) -> None:
    claim = printed(tmp_path, *runs_of(in_order(*NETWORKS)))
    assert "5 networks, rank correlation 1.00" in claim.shown and "power" in claim.shown
    assert "other people's machines reach 0.66 to 0.85" in claim.shown
    assert claim.verdict in (OPEN, "holds")


def test_a_reversed_order_is_not_the_printed_one(tmp_path: Path) -> None:
    claim = printed(tmp_path, *runs_of(in_order(*reversed(NETWORKS))))
    assert "rank correlation -1.00" in claim.shown and claim.verdict == FAILS


def test_rows_of_one_network_count_once(tmp_path: Path) -> None:
    vits = ("ViT-B-scratch", "ViT-B-Im21k", "ViT-B-JFT", "ViT-B-MAE", "ResNet50", "Swin-T")
    claim = printed(tmp_path, *runs_of(in_order(*vits)))
    assert claim.shown == "nothing yet", "three networks"


def test_set_ups_that_do_not_compare_are_not_in_one_order(tmp_path: Path) -> None:
    rates = in_order(*NETWORKS)
    some = dict(list(rates.items())[:3])
    others = {name: rates[name] for name in NETWORKS[3:]}
    claim = printed(tmp_path, *runs_of(some), *runs_of(others, batch_size=64))
    assert claim.shown == "nothing yet"


def test_two_devices_are_compared_over_networks_run_alike(tmp_path: Path) -> None:
    here = runs_of(in_order(*NETWORKS))
    there = runs_of(in_order(*reversed(NETWORKS)), device="NVIDIA A100-SXM4-40GB")
    claim = elsewhere(tmp_path, *here, *there)
    assert "5 networks, rank correlation -1.00" in claim.shown
    assert claim.verdict == FAILS
    alone = runs_of(in_order(*NETWORKS), device="NVIDIA A100-SXM4-40GB", batch_size=8)
    assert elsewhere(tmp_path / "other", *here, *alone).shown == "nothing yet"


@pytest.mark.parametrize("other", [{"cpu_model": "Xeon"}, {"cpu_model": "EPYC"}])
def test_two_cpus_of_one_profile_are_two_devices(tmp_path: Path, other: dict[str, str]) -> None:
    on_cpu: dict[str, Any] = {"device": None, "hardware": "local", "num_devices": None}
    here = runs_of(in_order(*NETWORKS), cpu_model="EPYC", **on_cpu)
    there = runs_of(in_order(*reversed(NETWORKS)), **other, **on_cpu)
    claim = elsewhere(tmp_path, *here, *there)
    assert ("CPU (EPYC) and CPU (Xeon)" in claim.shown) is (other["cpu_model"] == "Xeon")


def test_one_machine_set_otherwise_is_compared_within_a_day(tmp_path: Path) -> None:
    """It was three times slower on the day when only one of its settings was measured."""
    rates, slow = in_order(*NETWORKS[:3]), {name: 3e-7 for name in NETWORKS[:3]}
    on_cpu: dict[str, Any] = {"device": None, "hardware": "local", "num_devices": None}
    later = {"started_at": "2024-01-02T00:00:00+00:00", "ended_at": "2024-01-02T00:05:00+00:00"}
    one_thread = runs_of({name: 2 * kwh for name, kwh in rates.items()}, num_threads=1, **on_cpu)
    claim = elsewhere(
        tmp_path, *runs_of(rates, **on_cpu), *one_thread, *runs_of(slow, **later, **on_cpu)
    )
    assert "2.00 to 2.00 x" in claim.shown or "0.50 to 0.50 x" in claim.shown


def test_three_networks_have_no_interval(tmp_path: Path) -> None:
    rates = in_order(*NETWORKS[:3])
    claim = elsewhere(tmp_path, *runs_of(rates), *runs_of(rates, device="NVIDIA A100-SXM4-40GB"))
    assert "3 networks, rank correlation 1.00 (no interval, power 0%)" in claim.shown
    assert claim.verdict == OPEN


def test_a_network_that_was_run_in_two_ways_counts_once(tmp_path: Path) -> None:
    rates = in_order(*NETWORKS[:3])
    more = {"device": "NVIDIA A100-SXM4-40GB"}
    twice = {NETWORKS[0]: 5e-7}
    claim = elsewhere(
        tmp_path,
        *runs_of(rates), *runs_of(twice, batch_size=8),
        *runs_of(rates, **more), *runs_of(twice, batch_size=8, **more),
    )  # fmt: skip
    assert "3 networks, rank correlation 1.00 (no interval" in claim.shown


def test_four_networks_in_one_order_are_too_few_to_show_it(tmp_path: Path) -> None:
    rates = in_order(*NETWORKS[:4])
    claim = elsewhere(tmp_path, *runs_of(rates), *runs_of(rates, device="NVIDIA A100-SXM4-40GB"))
    assert "4 networks, rank correlation 1.00 (95 % -0" in claim.shown
    assert claim.verdict == OPEN
