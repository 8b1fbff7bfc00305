"""`python run.py ...`, typed in this process."""

from __future__ import annotations

import contextlib
import io
import sys

import run


def type_in(*arguments: str) -> tuple[int, str]:
    """`python run.py ARGUMENTS dry_run=true`: its exit status, and what it said on stderr."""
    out, errors = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["run.py", *arguments, "dry_run=true"]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            status = run.main()
    finally:
        sys.argv = before
    return status, errors.getvalue()


def refused(*arguments: str) -> str:
    """The one line that refuses `arguments`."""
    status, said = type_in(*arguments)
    assert status == 2, (arguments, said)
    (line,) = said.splitlines()
    assert line.startswith("error: ")
    return line
