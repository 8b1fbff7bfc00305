"""A block of a document is what its command prints."""

from __future__ import annotations

import pytest

from analysis.commands.ranks import text as ranked
from analysis.documents import filled
from analysis.estimates.indices import chosen

pytestmark = pytest.mark.slow


def test_a_block_is_filled_with_what_its_command_prints() -> None:
    command = "ranks --index accuracy --top 1"
    once = filled(f"before\n<!-- {command} -->\nold\n<!-- end -->\nafter\n")
    printed = ranked(chosen(["accuracy"]), 1)
    assert once == f"before\n<!-- {command} -->\n{printed}<!-- end -->\nafter\n"
    assert filled(once) == once


def test_a_document_without_blocks_stays() -> None:
    assert filled("plain <!-- a remark --> text\n") == "plain <!-- a remark --> text\n"


def test_a_command_that_fails_leaves_no_half_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="ranks --unit calories ended with 2"):
        filled("<!-- ranks --unit calories -->\n<!-- end -->\n")
