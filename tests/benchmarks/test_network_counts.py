"""GMACs and activations as others count them."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.published import facts as published
from analysis.published.counts import at_own_size, counts, share_at_224_px
from benchmarks.network_counts import COLUMNS, counted


def test_a_resnet50_is_counted_whole() -> None:
    params, gmacs, activations = counted("resnet50", 224)
    assert (params, gmacs) == (pytest.approx(25.56, abs=0.01), pytest.approx(4.09, abs=0.01))
    assert activations == pytest.approx(11.1, abs=0.05)


def test_layers_that_are_called_as_functions_count() -> None:
    plain, functional = (
        counted("vit_base_patch16_224", 224),
        counted("beitv2_base_patch16_224", 224),
    )
    assert functional[2] == pytest.approx(plain[2], rel=0.01)


def test_the_written_counts_are_complete() -> None:
    table = counts()
    assert tuple(table.columns) == COLUMNS
    assert list(at_own_size().index) == list(published.wide(published.IMAGENET)["model"])
    built = published.wide(published.IMAGENET).set_index("model")["gmacs_built"]
    pd.testing.assert_series_equal(at_own_size()["gmacs"], built, check_names=False, rtol=0.01)
    assert share_at_224_px("EfficientNet B7") == pytest.approx(5.17 / 37.75)
