"""A block of a document is what its command prints."""

from __future__ import annotations

import pytest

from analysis.commands.predict import errors
from analysis.documents import filled

pytestmark = pytest.mark.slow


def test_a_block_is_filled_with_what_its_command_prints() -> None:
    text = "before\n<!-- predict -->\nold\n<!-- end -->\nafter\n"
    assert filled(text) == f"before\n<!-- predict -->\n{errors()}<!-- end -->\nafter\n"
    assert filled(filled(text)) == filled(text)


def test_a_document_without_blocks_stays() -> None:
    assert filled("plain <!-- a remark --> text\n") == "plain <!-- a remark --> text\n"


def test_a_command_that_fails_leaves_no_half_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="ranks --unit calories ended with 2"):
        filled("<!-- ranks --unit calories -->\n<!-- end -->\n")
