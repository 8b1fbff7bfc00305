"""A record without names of hosts, users, paths and boards, which still tells one board.

A board's UUID is 128 random bits, so its hash tells nobody which board it is, and the same board
has the same hash in every bundle. Names of hosts and users can be guessed from a hash: they go.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic_core

from analysis.share.scrub import HOST, IS_LABEL, NAME, USER, scrubbed_value, without_names
from metering.record import Record, RecordError
from metering.record_file import from_json, to_json

_USER_IN_PATH = re.compile(
    r"(?:/home\d*/(?:[\w.-]+/home/)?|/[Uu]sers?/|[A-Za-z]:\\+Users\\+|(?<![\w~])~)([A-Za-z][\w.-]*)"
)
_USER_SAID = re.compile(
    r"(?<![A-Za-z])(?:--)?(?:user(?:_?name)?|log_?name)\"?'?\s*[=:]\s*[\"']?([A-Za-z][\w.-]+)|"
    r"\buid=\d+\(([\w.-]+)\)",
    re.I,
)
_NO_NAMES = frozenset(
    re.findall(
        r"\w+",
        "root localhost user users home local vm main default none null true false name path "
        "host shared public data train test gpu cpu ram counter power rapl modelled absent "
        "measured dropped finished failed interrupted given shuffled idle machine process "
        "adaptive fixed classification segmentation action_recognition synthetic ",
    )
)
"""Words that name nobody, and those of the schema; replaced they would make a record unreadable."""
_DROPPED: dict[tuple[str, str], Any] = {
    ("host", "hostname"): None,
    ("host", "more"): {},
    ("config", "output_dir"): None,
    ("config", "hydra"): None,
    ("config", "command"): None,
}
_VERSIONS = ("packages", "versions")
"""Groups of versions, which may look like addresses."""
_FREE_KEYS = ("config", "more", "network_options", "training", "options", "protocol", "quality")
"""Groups whose keys are anybody's words."""
_VERSION = re.compile(r"\d[\w.+!-]*")
_TRAINING = "training-"
_SLURM = ("account", "partition", "constraint", "reservation", "nodelist", "extra")
_JOB = ("array_id", "partition", "node_list", "account", "qos")
"""Of a batch system's job: each may name a site, a project or its machines."""
_HOST_LIST = re.compile(r"([\w.-]+)\[([\d,-]+)\]|([\w.-]+)")


def anonymised(record: Record, more_names: Mapping[str, str] | None = None) -> Record:
    """Its numbers, set-up, run id and times as they are. more_names: users and hosts that are
    known from elsewhere, and what stands for each. Raises `RecordError` where a name would
    remain: such a record must not be given away."""
    plain = pydantic_core.from_json(to_json(record))
    names = _names(plain, more_names or {})
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
    if plain.get("training_id") and not plain["training_id"].startswith(_TRAINING):
        digest = hashlib.sha256(f"watt-for-what training {plain['training_id']}".encode())
        plain["training_id"] = f"{_TRAINING}{digest.hexdigest()[:16]}"
    try:
        cleaned = from_json(pydantic_core.to_json(_cleaned(plain, names)))
    except RecordError as error:
        raise RecordError(
            f"a name in it is a word of the schema: {error}; it is not shared"
        ) from None
    remaining = leaks(cleaned, names)
    if remaining:
        raise RecordError(f"it still names {', '.join(remaining)}; it is not shared")
    return cleaned


def leaks(record: Record, names: Mapping[str, str] | None = None) -> list[str]:
    """Texts of a record that still say where it was made: paths, UUIDs, addresses, machines and
    `names`."""
    texts = _texts(pydantic_core.from_json(to_json(record)))
    leaked = dict.fromkeys(
        text for text in texts if scrubbed_value(text, names or {}, is_message=True) != text
    )
    job = record.scheduler
    named = (record.host.hostname, *((job.account, job.node_list) if job else ()))
    leaked.update(dict.fromkeys(name for name in named if name is not None))
    return [text[:80] for text in leaked]


def names_here() -> dict[str, str]:
    """The user and the machine of this process, who most often are those of the records too."""
    host = socket.gethostname()
    stand_ins = {host: HOST, host.split(".")[0]: HOST}
    with contextlib.suppress(KeyError, OSError, ImportError):  # a user id without a name
        stand_ins[getpass.getuser()] = USER
    return stand_ins


def _names(plain: dict[str, Any], more: Mapping[str, str]) -> dict[str, str]:
    """Host and users that the record itself tells, and `more`, longest first, and what stands for
    each."""
    host = plain["host"].get("hostname") or ""
    names = dict(more)
    names |= {name: USER for name in _labelled(plain["config"])}
    for text in _texts(plain):
        names |= {name: USER for name in _USER_IN_PATH.findall(text)}
        names |= {name: USER for pair in _USER_SAID.findall(text) for name in pair}
    job = plain.get("scheduler") or {}
    hosts = [host, *_nodes(job.get("node_list") or "")]
    names |= {name: HOST for host in hosts for name in (host, host.split(".")[0])}
    names |= {job.get("account") or "": USER}
    kept = [name for name in names if len(name) > 1 and name.lower() not in _NO_NAMES]
    return {name: names[name] for name in sorted(kept, key=lambda name: (-len(name), name))}


def _labelled(value: Any, key: str = "") -> Iterator[str]:
    """Texts of a config that stand under keys such as `user` or `host`."""
    pairs = value.items() if isinstance(value, dict) else ()
    for name, text in pairs:
        yield from _labelled(text, name)
    for item in value if isinstance(value, list) else ():
        yield from _labelled(item, key)
    if isinstance(value, str) and IS_LABEL.fullmatch(key) and re.fullmatch(r"[\w.-]{3,}", value):
        yield value


def _nodes(node_list: str) -> Iterator[str]:
    """`gpu[07,09-10],login` as gpu07, gpu09, gpu10, login."""
    for prefix, numbers, single in _HOST_LIST.findall(node_list):
        if single:
            yield single
        for part in numbers.split(",") if prefix else ():
            first, _, last = part.partition("-")
            if not first.isdigit() or not (last or first).isdigit():
                continue
            for number in range(int(first), min(int(last or first), int(first) + 1000) + 1):
                yield f"{prefix}{number:0{len(first)}d}"


def _cleaned(value: Any, names: dict[str, str], group: str = "") -> Any:
    """group: of versions, or of keys that no schema knows, where `value` is in one."""
    if isinstance(value, dict):
        return {
            scrubbed_value(key, names, is_message=False) if group else key: _hidden(item)
            if group in _FREE_KEYS and IS_LABEL.fullmatch(key)
            else _cleaned(item, names, group or _group(key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(item, names, group) for item in value]
    if _is_words(value, group):
        return scrubbed_value(value, names, is_message=not group)
    return without_names(value, names) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    """Every text in what stands under a key such as `user` or `token` as `<name>`."""
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return NAME if isinstance(value, str) else value


def _texts(value: Any, group: str = "") -> Iterator[str]:
    """Every text in plain JSON, keys that no schema knows too, but for versions."""
    if isinstance(value, dict):
        for key, item in value.items():
            if group:
                yield key
            yield from _texts(item, group or _group(key))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, group)
    elif _is_words(value, group):
        yield value


def _group(key: str) -> str:
    return key if key in _VERSIONS or key in _FREE_KEYS else ""


def _is_words(value: Any, group: str) -> bool:
    if not isinstance(value, str):
        return False
    return group not in _VERSIONS or not _VERSION.fullmatch(value)
