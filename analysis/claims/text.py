"""Claims of the paper's own text that its own tables can test, in the paper's order.

Everything they rest on is published, or independent where a claim is about other hardware.
"""

from __future__ import annotations

from analysis.claims import text_gqi as index
from analysis.claims import text_tables as printed
from analysis.claims.claim import Claim


def claims() -> list[Claim]:
    return [
        printed.household(),
        printed.emissions(),
        index.non_negative(),
        index.unit(),
        printed.accuracy_costs(),
        index.efficient_networks_rise(),
        *printed.segmentation(),
        *printed.action_recognition(),
        *printed.ten_times(),
        printed.self_supervision(),
        index.logarithm(),
        *index.alpha_and_beta(),
    ]
