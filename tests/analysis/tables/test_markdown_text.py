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


def _show_on_terminal(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 columns wide, without bold letters."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show_markdown(text)


def test_a_long_cell_is_wrapped_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _show_on_terminal(MARKDOWN, monkeypatch)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 60
    assert out.count("many") == 12 and "|--" not in out
    assert "a | b" in out
    assert "   1.25" in out  # a number stands at the right


def test_a_table_of_too_many_columns_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = "|" + " a_long_word |" * 9 + "\n|" + "---|" * 9 + "\n|" + " b |" * 9 + "\n"
    _show_on_terminal(wide, monkeypatch)
    assert "".join(capsys.readouterr().out.split()) == "".join(wide.split())


def test_a_pipe_gets_the_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    show_markdown(MARKDOWN)
    assert capsys.readouterr().out == MARKDOWN
