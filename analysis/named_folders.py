"""The folders that a person names, loaded: what every command on records begins with."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from analysis.errors import AnalysisError, printable
from analysis.records.codecarbon.read import LogOutcome, Verdict
from analysis.records.load import Loaded, load
from analysis.share.bundle import is_bundle, unpack

DEFAULT_FOLDERS = ("runs", "results/records")
_BUNDLES: dict[str, str] = {}
"""Where the records of a bundle lie in this process -> the bundle, as it was named."""
VERDICTS: tuple[Verdict, ...] = ("used", "flagged", "left out")


def load_named(folders: Sequence[str]) -> Loaded:
    """What lies under `folders`; what became of each file is said on standard error.

    Raises `AnalysisError` for a folder that does not exist or holds nothing readable, unless
    it is one of the defaults.
    """
    for folder in folders:
        if folder not in DEFAULT_FOLDERS and not Path(folder).expanduser().exists():
            raise AnalysisError(f"{folder} does not exist; name the output_dir of a run")
    places = {folder: unpacked(folder) for folder in folders}
    bundles = {place: name for name, place in places.items() if place != name}
    folders = list(places.values())
    loaded = _named_after_bundles(load(folders), bundles)
    for line in summary(loaded):
        print(printable(with_bundle_names(line)), file=sys.stderr)
    held = [*loaded.frame["path"], *(copy.path for copy in loaded.copies)]
    for folder in folders:
        if folder in DEFAULT_FOLDERS:
            continue
        top = str(Path(folder).expanduser().absolute())
        if not any(path == top or path.startswith(top + os.sep) for path in held):
            raise AnalysisError(with_bundle_names(_nothing_in(folder, top, loaded)))
    return loaded


def _named_after_bundles(loaded: Loaded, bundles: dict[str, str]) -> Loaded:
    """With the rows of each bundle as a collection of its own. bundles: folder -> its name."""
    frame = loaded.frame
    names = frame["collection"].astype(str)
    for folder, name in bundles.items():
        lies_in = frame["path"].astype(str).str.startswith(folder + os.sep)
        names = names.mask(lies_in, f"bundle {name}")
    return replace(loaded, frame=frame.assign(collection=names.astype("category")))


@cache
def unpacked(folder: str) -> str:
    """The records of a bundle in a folder that lasts as long as this process; anything else as it
    is. Raises `AnalysisError` for a damaged bundle."""
    bundle = Path(folder).expanduser()
    if not is_bundle(bundle):
        return folder
    try:
        place = Path(tempfile.mkdtemp(prefix="bundle-"))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        unpack(bundle, place / bundle.name)
    except OSError as error:
        raise AnalysisError(f"{folder} cannot be unpacked: {error.strerror or error}") from None
    _BUNDLES[str(place / bundle.name)] = folder
    return str(place / bundle.name)


def require_place(out: Path) -> None:
    """Raises `AnalysisError` where the folder that `out` would lie in does not exist: a mistyped
    path makes no folders."""
    if not out.expanduser().absolute().parent.is_dir():
        raise AnalysisError(
            f"--out {out}: there is no folder {out.parent}; make it, or name another"
        )


def with_bundle_names(text: str) -> str:
    """`text` with the places of unpacked records as a person knows them: `FILE, record 3`."""
    for place, name in _BUNDLES.items():
        text = re.sub(
            rf"{re.escape(place)}/0*(\d+)(?:/record\.json)?", rf"{place}, record \1", text
        )
        text = text.replace(place, name)
    return text


def summary(loaded: Loaded) -> Iterator[str]:
    """Each record that was left out and why; of logs of other software each that was flagged or
    left out, and how many were used."""
    logs = {outcome.path for outcome in loaded.logs}
    for problem in loaded.problems:
        if problem.path not in logs:
            yield f"left out {problem}"
    for copy in loaded.copies:
        if copy.path not in logs:
            yield f"left out {copy}"
    yield from log_lines(loaded.logs)


def log_lines(logs: Sequence[LogOutcome]) -> Iterator[str]:
    """What became of each log, the files that were left out first, and how many of each there
    were: numbers that add up to the files. Of a file that was used, what a reader must know, and
    what of it was not used."""
    for outcome in logs:
        if outcome.verdict == "left out":
            for reason in outcome.left_out or ["it has no run"]:
                yield f"left out {outcome.path}: {reason}"
    for outcome in logs:
        if outcome.verdict == "flagged":
            for flag in outcome.flags:
                yield f"flagged {outcome.path}: {flag}"
            for reason in outcome.left_out:
                yield f"flagged {outcome.path}: not used of it: {reason}"
    counts = Counter(outcome.verdict for outcome in logs)
    if counts:
        counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
        yield f"{len(logs)} CodeCarbon logs: {counted}"


def _nothing_in(folder: str, top: str, loaded: Loaded) -> str:
    """Why a folder that was named gives nothing, and the cure."""
    logs = [one for one in loaded.logs if one.path.startswith(top)]
    if logs:
        reason = logs[0].left_out[0] if logs[0].left_out else "it has no run"
        return f"{folder} holds no record, and no log that can be used: {logs[0].path}: {reason}"
    if folder in _BUNDLES:
        return f"{folder} holds no readable record; ask for another bundle"
    return (
        f"{folder} holds no readable record; measure one with "
        f"`python run.py output_dir={folder}` or name another folder"
    )
