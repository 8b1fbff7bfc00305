"""`python -m analysis.documents`: writes the tables of documents anew.

A table stands between `<!-- ARGUMENTS -->` and `<!-- end -->` and is what `python -m analysis
ARGUMENTS` prints; of `<!-- python -m MODULE -->`, what that command prints. `make documents` calls
this from the root of the repository.
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

from analysis.__main__ import main

DOCUMENTS = ("RESULTS.md", "docs/evidence.md", "docs/savings.md", "docs/settings.md")
_BLOCK = re.compile(r"<!-- (?!end)(?P<arguments>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """`text` with every block as its command prints it now.

    Raises `ValueError` for a command that fails.
    """
    return _BLOCK.sub(_block, text)


def _block(match: re.Match[str]) -> str:
    arguments = match["arguments"]
    if arguments.startswith("python -m "):  # another room's: analysis imports none
        command = [sys.executable, *arguments.split()[1:]]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise ValueError(f"{arguments} ended with {done.returncode}")
        return f"<!-- {arguments} -->\n{done.stdout}<!-- end -->"
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
