"""What ends an analysis command with one clear line and exit status 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AnalysisError(ValueError):
    """The user asked for something that cannot be done: what, and the cure, in one line."""


def unknown(kind: str, name: str, known: Iterable[str]) -> AnalysisError:
    """`column 'top1' is unknown; did you mean published_top1_pct?`"""
    choices = list(known)
    near = difflib.get_close_matches(name, choices, n=3, cutoff=0.4)
    cure = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(choices)}"
    return AnalysisError(f"{kind} '{name}' is unknown; {cure}")


def utf8(text: str) -> str:
    """`text` with what is no UTF-8 in a file's name (it comes as lone surrogates, which no file
    of text can carry) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def printable(text: str) -> str:
    """`text` with what a terminal would obey (escape sequences, line breaks) spelled out."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
