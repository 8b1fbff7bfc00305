"""`python -m analysis.documents`: writes the tables of RESULTS.md and docs/evidence.md anew.

A table stands between `<!-- ARGUMENTS -->` and `<!-- end -->` and is what `python -m analysis
ARGUMENTS` prints. `make documents` calls this from the root of the repository.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

from analysis.__main__ import main

DOCUMENTS = ("RESULTS.md", "docs/evidence.md")
_BLOCK = re.compile(r"<!-- (?!end)(?P<arguments>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """`text` with every block as its command prints it now.

    Raises `ValueError` for a command that fails.
    """
    return _BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    arguments = match["arguments"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = main(arguments.split())
    if status:
        raise ValueError(f"python -m analysis {arguments} ended with {status}")
    return f"<!-- {arguments} -->\n{output.getvalue()}<!-- end -->"


def write(root: Path) -> None:
    """Fill the documents under `root`."""
    for name in DOCUMENTS:
        path = root / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write(Path.cwd())
    sys.exit(0)
