"""What the paper's text says beside its own tables: numbers and one of three verdicts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.claims.claim import FAILS, HOLDS, OPEN, Claim, all_of, table
from analysis.claims.text import claims
from analysis.claims.text_gqi import table3

ROOT = Path(__file__).parents[3]


all_claims = cache(claims)


def about(words: str) -> Claim:
    [one] = [claim for claim in all_claims() if words in claim.says]
    return one


@pytest.mark.parametrize(
    ("words", "shown", "verdict"),
    [
        ("200 t CO2", "552 t 0.429", OPEN),
        ("monthly electricity", "0.07 to 148 household months", OPEN),
        ("non-negative", "at 75 % and 0.5 kWh is -3.9", FAILS),
        (
            "fair comparisons",
            "MobileNetv2 falls from 8 to 59 and ViT-H-JFT rises from 58 to 28",
            FAILS,
        ),
        ("fair comparisons", "in J the ranks correlate 0.25", FAILS),
        ("goes with more electricity", "rank correlation 0.86 over all 67 rows", HOLDS),
        ("goes with more electricity", "one row a network", HOLDS),
        ("MobileNet and EfficientNet", "EfficientNet B0 59", FAILS),
        ("far less electricity", "27.0 to 79.5 kWh (n 4) against 1,243 to 1,244 (n 2)", HOLDS),
        ("far less electricity", "without backbones 26.2 to 37.8 against 65.8 to 66.0", HOLDS),
        ("rival or surpass", "first by mIoU and by GQI is Mask2Former", HOLDS),
        ("TSM comes first", "accuracy counts x 0.63, its electricity x 1.91", HOLDS),
        ("minimal electricity", "the least is TRN (ResNet50) (100.5 kWh; TSM 107.4)", FAILS),
        ("gap is larger", "10.3 points against 6.1; TSM is 3rd of 6", HOLDS),
        ("ten times", "3.35 x (ImageNet-21k), 6.2 for 5.49 x (JFT); 11 x is ViT-L", FAILS),
        ("fewer training epochs", "98 (ImageNet-21k) and 15 (JFT) passes against 300", HOLDS),
        ("fewer training epochs", "1,004 and 1,646 ImageNet-1k epochs", HOLDS),
        ("over 90 %", "92.5% to 97.6%", OPEN),
        ("log scale", "doubling costs ResNet50 17% of its GQI, ViT-H-JFT 6%", OPEN),
        ("before alpha", "at alpha 1, 2, 3, 4; at 5 it is 8th", HOLDS),
        ("surpasses all", "places 1, 2 and 4; third is Inception v3", FAILS),
        ("similar level", "DeiT 0.48 to 0.74", OPEN),
        ("at beta 1", "0.085 to 0.185", FAILS),
        ("beta 5 narrows", "0.427 to 0.925", FAILS),
    ],
)
def test_a_claim_of_the_text(words: str, shown: str, verdict: str) -> None:
    claim = about(words)
    assert shown in claim.shown
    assert claim.verdict == verdict


def test_gqi_of_the_table_is_that_of_its_definition() -> None:
    assert table3()["MobileNetv2"] == pytest.approx(0.829, abs=1e-3)
    assert list(table3().index) == list(table3(beta=1.0).index), "beta changes no rank"


def test_a_claim_about_several_models_holds_when_it_holds_for_each() -> None:
    assert all_of([HOLDS, HOLDS]) == HOLDS
    assert all_of([HOLDS, OPEN]) == OPEN
    assert all_of([HOLDS, OPEN, FAILS]) == FAILS
    assert all_of([]) == OPEN


def test_the_results_page_quotes_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--text"]) == 0
    said = capsys.readouterr().out
    assert said == table(claims(), "By its own tables")
    assert said in (ROOT / "RESULTS.md").read_text(encoding="utf-8")
