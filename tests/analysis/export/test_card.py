"""A card's block is written; nothing else of the card is touched, whatever it looks like."""

from __future__ import annotations

import pytest
import yaml

from analysis.errors import AnalysisError
from analysis.export.card import with_key
from analysis.export.huggingface import KEY, into_card
from analysis.export.site_facts import SiteFacts
from tests.analysis.export.sample_runs import a_run

NEW = {"emissions": 7.5, "source": "CodeCarbon: 1 kWh"}
OLD = {
    "a mapping": "co2_eq_emissions:\n  emissions: 1\n  source: old\n",
    "a number": "co2_eq_emissions: 12.5\n",
    "a number and a comment": "co2_eq_emissions: 12.5  # old\n",
    "nothing": "co2_eq_emissions:\n",
    "a flow mapping": "co2_eq_emissions: {emissions: 1,\n  source: old}\n",
    "a quoted key": '"co2_eq_emissions":\n  emissions: 1\n',
    "a text of lines": "co2_eq_emissions:\n  emissions: 1\n  source: |\n    old\n    older\n",
    "a list": "co2_eq_emissions:\n- emissions: 1\n",
    "an alias": "co2_eq_emissions: *other\n",
    "absent": "",
}
HEAD = "license: apache-2.0   # as it was\nother: &other {a: 1}\ntags:\n- vision\n"
TAIL = "# of the data\ndatasets: [imagenet-1k]\nmore: *other\n'last': \u00e9\n"
BODY = "# Swin\n\n--- not front matter ---\n---\nco2_eq_emissions: 3\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "\n\n"])
@pytest.mark.parametrize("end", ["---", "...", "--- "])
@pytest.mark.parametrize("old", OLD)
def test_only_the_block_changes(newline: str, mark: str, end: str, old: str) -> None:
    card = f"{mark}---\n{HEAD}{OLD[old]}{TAIL}{end}\n{BODY}".replace("\n", newline)
    new = with_key(card, KEY, NEW)
    block = "co2_eq_emissions:\n  emissions: 7.5\n  source: 'CodeCarbon: 1 kWh'\n"
    front = f"{HEAD}{block}{TAIL}" if OLD[old] else f"{HEAD}{TAIL}{block}"
    assert new == f"{mark}---\n{front}{end}\n{BODY}".replace("\n", newline)
    assert with_key(new, KEY, NEW) == new  # a second time changes nothing


@pytest.mark.parametrize(
    ("card", "new"),
    [
        ("", "---\nB---\n"),
        ("# No front matter\n", "---\nB---\n# No front matter\n"),
        ("\ufeff# Windows\r\n", "\ufeff---\r\nB---\r\n# Windows\r\n"),
        ("---\n---\ntext\n", "---\nB---\ntext\n"),
        ("---\n# a comment\n---\n", "---\n# a comment\nB---\n"),
        ("---\nx: 1\n---", "---\nx: 1\nB---"),
        ("---\nx: 1\n---\nbody\r\n", "---\nx: 1\nB---\nbody\r\n"),  # the front\'s line ends
        ("---\r\nx: 1\r\n---\nbody\n", "---\r\nx: 1\r\nB---\nbody\n"),
        ("--- no front\n# matter\n", "---\nB---\n--- no front\n# matter\n"),
    ],
)
def test_a_card_without_the_block_gets_one(card: str, new: str) -> None:
    newline = "\r\n" if new.lstrip("\ufeff").startswith("---\r") else "\n"
    block = f"co2_eq_emissions:{newline}  emissions: 1{newline}"
    assert with_key(card, KEY, {"emissions": 1}) == new.replace("B", block, 1)


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("{license: mit}", "is not a list of keys"),
        ("- a\n- b", "is not a list of keys"),
        ("license: [mit", "is not YAML"),
        ("co2_eq_emissions: 1\nco2_eq_emissions: 2", "has co2_eq_emissions twice"),
        ("co2_eq_emissions: &mine {a: 1}\nother: *mine", "uses an anchor of co2_eq_emissions"),
    ],
)
def test_what_cannot_be_changed_without_harm_is_refused(front: str, words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        with_key(f"---\n{front}\n---\n", KEY, NEW)


def test_the_block_of_a_run_is_grams() -> None:
    front = yaml.safe_load(into_card("---\nx: 1\n---\n", [a_run()], SiteFacts()).split("---")[1])
    assert front["co2_eq_emissions"]["emissions"] == pytest.approx(316.4 * 237.589)
