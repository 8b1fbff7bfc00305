"""What the paper claims, beside what these records show: one row a claim, in the paper's order.

Every number is computed from records; a claim without records is not shown. Each limit is a
constant of the code, whatever the records say, and stands in the row.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.claims import cost, linear, order
from analysis.claims.claim import Claim
from analysis.claims.short_run import short_predicts_long
from analysis.estimates.merge import merge
from analysis.estimates.studies import curves
from analysis.estimates.validate import LeftOut, Prediction


def claims(records: pd.DataFrame, outcomes: Sequence[Prediction | LeftOut]) -> list[Claim]:
    """Every claim of the paper that electricity alone can test. `records`: as `load` gives them;
    `outcomes`: of predicting each window from its first part."""
    measured = merge(records)
    trainings = curves(records)
    return [
        order.as_printed(measured),
        cost.larger_sets(measured),
        cost.self_supervision(measured),
        order.on_other_hardware(measured),
        cost.batch_size(measured),
        *linear.epochs(trainings),
        *linear.shares(trainings),
        short_predicts_long(outcomes),
    ]
