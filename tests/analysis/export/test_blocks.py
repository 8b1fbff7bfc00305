"""Every block as a flat table."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from analysis.errors import AnalysisError
from analysis.export.blocks import COLUMNS, export
from analysis.export.site_facts import SiteFacts
from tests.analysis.export.sample_runs import a_run


def test_csv_and_parquet_hold_the_same_blocks() -> None:
    files = export([a_run()], SiteFacts()).files
    text, binary = files["blocks.csv"], files["blocks.parquet"]
    assert isinstance(text, str)
    assert isinstance(binary, bytes)
    one, other = pd.read_csv(io.StringIO(text)), pd.read_parquet(io.BytesIO(binary))
    assert tuple(one.columns) == tuple(other.columns) == COLUMNS
    assert one["phase"].tolist() == ["train", "test"]
    assert other["num_samples"].tolist() == [88, 88]
    assert other["gpu_kwh"].isna().all()  # not read, and not zero


def test_runs_without_a_block_are_refused() -> None:
    with pytest.raises(AnalysisError, match="none of these runs has a block"):
        export([a_run(phases=())], SiteFacts())
