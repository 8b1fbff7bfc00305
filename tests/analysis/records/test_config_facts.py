"""What keeps two runs apart beside model, hardware and batch."""

from __future__ import annotations

from analysis.records.config_facts import variant


def test_embedded_files_are_not_the_real_set() -> None:
    real = {"data": {"name": "cityscapes", "root": "/data/cityscapes"}}
    embedded = {"data": {"name": "cityscapes", "root": None}}
    assert (variant(real), variant(embedded)) == ("", "embedded data")
    assert variant({"data": {"name": "synthetic", "root": None}}) == ""  # its name says so


def test_a_crop_and_overrides_of_a_librarys_config_are_told() -> None:
    options = {"crop": [512, 512], "overrides": {"optim_wrapper.clip_grad": None}}
    said = variant({"model": {"options": options}, "data": {"root": "/data"}})
    assert said == "crop 512 x 512, overrides {'optim_wrapper.clip_grad': None}"
