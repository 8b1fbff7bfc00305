"""A record without names of hosts, users, paths and boards, which still tells one board.

A board's UUID is 128 random bits, so its hash tells nobody which board it is, and the same board
has the same hash in every bundle. Names of hosts and users can be guessed from a hash: they go.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pydantic_core

from metering.record import Record, RecordError
from metering.record_file import from_json, to_json

PATH, USER, HOST, EMAIL, ADDRESS = "<path>", "<user>", "<host>", "<email>", "<address>"
_ROOTS = "home|root|Users|work|data|datasets|scratch|mnt|media|tmp|var|opt|usr|srv|nfs|gpfs|lustre"
_UNIX = rf"(?<![\w/.:<>])(?:~[\w.-]*|/(?:{_ROOTS})(?=/)|/[\w.@+-]+/[\w.@+-]+(?=/))[^\s\"'`,;:()<>]*"
_WINDOWS = r"(?<!\w)(?:[A-Za-z]:\\|\\\\)(?:[^\\/:*?\"'<>|\n]+\\)*[^\s\\\"'`,;()<>|]*"
_HOME_PATH = re.compile(rf"{_UNIX}|{_WINDOWS}")
_PACKAGE = re.compile(r".*(?:site-packages|dist-packages|lib/python[\d.]+)[/\\](.*)")
_USER_IN_PATH = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)([\w.-]+)")
_UUID = re.compile(
    r"(?:GPU-|MIG-)?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_ADDRESS = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.-])")
_NO_NAMES = frozenset(("root", "localhost", "user", "home", "local", "vm", "main", "default"))
"""Words that name nobody; replaced elsewhere they would make texts unreadable."""
_DROPPED: dict[tuple[str, str], Any] = {
    ("host", "hostname"): None,
    ("host", "more"): {},
    ("config", "output_dir"): None,
    ("config", "hydra"): None,
}
_VERSIONS = ("packages", "versions")
"""Groups of versions, which may look like addresses."""
_SLURM = ("account", "partition", "constraint", "reservation", "nodelist", "extra")
_JOB = ("array_id", "partition", "node_list", "account", "qos")
"""Of a batch system's job: each may name a site, a project or its machines."""
_NODES = re.compile(r"([\w.-]+)\[([\d,-]+)\]|([\w.-]+)")


def anonymised(record: Record) -> Record:
    """Its numbers, set-up, run id and times as they are. Raises `RecordError` where a name would
    remain: such a record must not be given away."""
    plain = pydantic_core.from_json(to_json(record))
    names = _names(plain)
    for (group, key), nothing in _DROPPED.items():
        if key in plain[group]:
            plain[group][key] = nothing
    slurm = (plain["config"].get("hardware") or {}).get("slurm")
    if isinstance(slurm, dict):
        for key in _SLURM:
            if slurm.get(key):
                slurm[key] = None
    if plain.get("scheduler"):
        plain["scheduler"] |= dict.fromkeys(_JOB) | {"job_id": "job"}
    cleaned = from_json(pydantic_core.to_json(_cleaned(plain, names)))
    remaining = leaks(cleaned, names)
    if remaining:
        raise RecordError(f"it still names {', '.join(remaining)}; it is not shared")
    return cleaned


def leaks(record: Record, names: Iterable[str] = ()) -> list[str]:
    """What a record still says of where it was made: paths, UUIDs, addresses and `names`."""
    found: dict[str, None] = {}
    for text in _texts(pydantic_core.from_json(to_json(record))):
        for pattern in (_HOME_PATH, _UUID, _EMAIL, _ADDRESS):
            found.update(dict.fromkeys(pattern.findall(text)))
        found.update(dict.fromkeys(name for name in names if _word(name).search(text)))
    job = record.scheduler
    named = (record.host.hostname, *((job.account, job.node_list) if job else ()))
    found.update(dict.fromkeys(name for name in named if name is not None))
    return list(found)


def board_hash(uuid: str) -> str:
    """`board-` and 16 hex digits, the same for the same board wherever it is hashed."""
    return f"board-{hashlib.sha256(f'watt-for-what board {uuid}'.encode()).hexdigest()[:16]}"


def without_paths(text: str) -> str:
    """`text` with absolute paths as `<path>`; of a file of an installed package its place within
    the package is kept, so that a traceback still says where."""

    def shown(match: re.Match[str]) -> str:
        package = _PACKAGE.search(match[0])
        return f"{PATH}/{package[1]}" if package else PATH

    return _HOME_PATH.sub(shown, text)


def _names(plain: dict[str, Any]) -> dict[str, str]:
    """Host and users that the record itself tells, longest first, and what stands for each."""
    host = plain["host"].get("hostname") or ""
    names = {name: USER for text in _texts(plain) for name in _USER_IN_PATH.findall(text)}
    job = plain.get("scheduler") or {}
    hosts = [host, *_nodes(job.get("node_list") or "")]
    names |= {name: HOST for one in hosts for name in (one, one.split(".")[0])}
    names |= {job.get("account") or "": USER}
    kept = [name for name in names if len(name) > 1 and name.lower() not in _NO_NAMES]
    return {name: names[name] for name in sorted(kept, key=lambda name: (-len(name), name))}


def _nodes(node_list: str) -> Iterator[str]:
    """`gpu[07,09-10],login` as gpu07, gpu09, gpu10, login."""
    for prefix, numbers, single in _NODES.findall(node_list):
        if single:
            yield single
        for part in numbers.split(",") if prefix else ():
            first, _, last = part.partition("-")
            if not first.isdigit() or not (last or first).isdigit():
                continue
            for number in range(int(first), min(int(last or first), int(first) + 1000) + 1):
                yield f"{prefix}{number:0{len(first)}d}"


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _cleaned(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            _text(key, names): one if key in _VERSIONS else _cleaned(one, names)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(one, names) for one in value]
    return _text(value, names) if isinstance(value, str) else value


def _text(text: str, names: dict[str, str]) -> str:
    text = _UUID.sub(lambda match: board_hash(match[0]), without_paths(text))
    text = _ADDRESS.sub(ADDRESS, _EMAIL.sub(EMAIL, text))
    for name, stand_in in names.items():
        text = _word(name).sub(stand_in, text)
    return text


def _texts(value: Any) -> Iterator[str]:
    """Every text in plain JSON, keys too, but for versions."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            if key not in _VERSIONS:
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value
