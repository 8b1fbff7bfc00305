from __future__ import annotations

import pandas as pd
import pytest

from analysis.published import facts as published


def test_every_row_of_the_three_tables_is_there():
    assert len(published.wide(published.IMAGENET)) == 67
    assert len(published.wide(published.CITYSCAPES, published.ADE20K)) == 8
    assert len(published.wide(published.SSV2, published.K400)) == 14


def test_a_printed_value_is_carried_over():
    assert published.value("Swin-T", "ImageNet-1k", "train_kwh") == 224.01


@pytest.mark.parametrize(
    ("model", "quantity"),
    [
        ("ResNet101", "test_kwh"),
        ("EfficientFormer-v2-s1", "gqi"),
        ("EfficientFormer-v2-s1", "test_kwh"),
        ("ConvNeXt-L-Im22PT", "gqi"),
    ],
)
def test_an_illegible_value_is_null_with_a_note(model: str, quantity: str):
    assert published.value(model, "ImageNet-1k", quantity) is None
    assert "not legible" in published.notes()[(model, "ImageNet-1k")][quantity]


@pytest.mark.parametrize(
    ("model", "dataset", "quantity", "words"),
    [
        ("Clip-L/14", "ImageNet-1k", "params_m", "506"),
        ("Mask2Former (ResNet50)", "Cityscapes", "gmacs", "ResNet101"),
        ("Swin-v2-T", "ImageNet-1k", "gmacs", "window-8"),
        ("I3D", "K400", "params_m", "Inception-v1"),
    ],
)
def test_a_known_oddity_is_a_footnote(model: str, dataset: str, quantity: str, words: str):
    assert words in published.notes()[(model, dataset)][quantity]


def test_every_source_of_every_table_resolves():
    keys = set(published.sources()["key"])
    for frame in (published.facts(), published.appliances(), published.references()):
        assert set(frame["source"]) <= keys


def _one_fact(**changes: object) -> pd.DataFrame:
    fact = dict.fromkeys(published.FACT_COLUMNS, "")
    fact |= {"model": "m", "dataset": "d", "quantity": "top1_pct", "unit": "%", "source": "s"}
    return pd.DataFrame([fact | {"value": 80.0} | changes])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": 101.0}, "over 100 %"),
        ({"value": -1.0}, "above 0"),
        ({"value": float("nan")}, "null without a note"),
        ({"source": "nowhere"}, "not a key of sources.csv"),
        ({"unit": "kWh"}, "not the quantity's"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_by_name(changes: dict, words: str):
    with pytest.raises(published.FactsError, match=f"m, d, .*{words}"):
        published.validate(_one_fact(**changes), {"s"})


def test_a_fact_given_twice_is_refused():
    twice = pd.concat([_one_fact(), _one_fact()])
    with pytest.raises(published.FactsError, match="given twice"):
        published.validate(twice, {"s"})
