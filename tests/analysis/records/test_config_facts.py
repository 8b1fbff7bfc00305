"""What keeps two runs apart beside model, hardware and batch."""

from __future__ import annotations

from analysis.records.config_facts import variant
from metering.setup import Asked, DataSetUp


def test_embedded_files_are_not_the_real_set() -> None:
    real = Asked("segmentation", "segformer_b0", data=DataSetUp("cityscapes", "real"))
    embedded = Asked("segmentation", "segformer_b0", data=DataSetUp("cityscapes", "embedded"))
    assert (variant(real), variant(embedded)) == ("", "embedded data")
    synthetic = Asked("classification", "vit_b", data=DataSetUp("synthetic", "embedded"))
    assert variant(synthetic) == ""  # its name says so


def test_size_crop_and_overrides_of_a_librarys_config_are_told() -> None:
    options = {"crop": [512, 512], "overrides": {"optim_wrapper.clip_grad": None}}
    asked = Asked("segmentation", "pspnet", network_options=options, input_size=(224, 224))
    words = "224 px, crop 512 x 512, overrides {'optim_wrapper.clip_grad': None}"
    assert variant(asked) == words
