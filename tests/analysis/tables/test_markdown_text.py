"""Markdown on a terminal: tables in its width; into a pipe as it is."""

from __future__ import annotations

import sys

import pytest

from analysis.tables.markdown_text import show_markdown

MARKDOWN = f"""A note.

| Where | Says | kWh |
|---|:--|--:|
| Table 3 | {"many words " * 12}| 1.25 |
| a \\| b | few | 10.50 |
"""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


@pytest.mark.usefixtures("terminal")
def test_a_long_cell_is_wrapped_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    show_markdown(MARKDOWN)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 60
    assert out.count("many words") > 10 and "|--" not in out
    assert "a | b" in out
    assert "   1.25" in out  # a number stands at the right


@pytest.mark.usefixtures("terminal")
def test_a_table_of_too_many_columns_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    wide = "|" + " a_long_word |" * 9 + "\n|" + "---|" * 9 + "\n|" + " b |" * 9 + "\n"
    show_markdown(wide)
    assert "".join(capsys.readouterr().out.split()) == "".join(wide.split())


def test_a_pipe_gets_the_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    show_markdown(MARKDOWN)
    assert capsys.readouterr().out == MARKDOWN
