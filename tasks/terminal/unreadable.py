"""How to write what Hydra's grammar cannot read."""

from __future__ import annotations

import re
import shlex

from tasks.config.model_names import NEEDED_GROUPS, OPTIONAL_GROUPS

GROUPS = (*NEEDED_GROUPS, *OPTIONAL_GROUPS)
_MOST_SHOWN = 200
_EMPTY_SWEEP = re.compile(r"(?:choice|range|glob|interval|sort|shuffle)\(\s*\)")
_PLAIN = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2018\u2019\u201a", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
    "\uff0c": ",",
    "\uff1d": "=",
    "\u00a0": " ",
}
"""What word processors, web pages and chats make of the characters of a command."""


def unreadable(text: str) -> str:
    """Why Hydra's grammar cannot read `text`, and what to write."""
    key, _, value = text.partition("=")
    if _EMPTY_SWEEP.fullmatch(value.strip()) and key:
        return sweeps_nothing(text, key.lstrip("+/"))
    shown = repr(text) if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]!r}..."
    is_long = value.isdecimal() and len(value) > _MOST_SHOWN
    cure = ": it is too long for a number" if is_long else _cure(text, key, value)
    return f"{shown} cannot be read as key=value{cure}"


def _cure(text: str, key: str, value: str) -> str:
    plain = "".join(_PLAIN.get(letter, letter) for letter in text)
    twice = _quoted_twice(text)
    if plain != text and (plain.startswith("-") or _is_readable(plain)):
        meant = f"; or, if they are meant, {twice}" if twice else ""
        return (
            ": it has typographic quotes, dashes, commas or blanks; write plain ones, "
            f"{shlex.quote(plain)}{meant}"
        )
    if not key or not value:
        return "; write key=value or key=a,b, without blanks around = and commas"
    if not _is_readable(f"{key}=1"):
        dotted = re.sub(r"\[(\w+)\]", r".\1", key.removeprefix("/"))
        cure = f"write {dotted}={value}" if dotted != key else "see python run.py --help"
        return f": {key} cannot be a key; {cure}"
    listed = re.sub(r"\s*,[\s,]*", ",", value).strip(" ,")
    if listed not in ("", value) and _is_readable(f"{key}={listed}"):
        return (
            f": a comma has no value beside it; write {key}={listed}, or {key}=a,b without a blank"
        )
    is_open = any(value.count(one) > value.count(other) for one, other in ("{}", "[]"))
    if not twice or (is_open and value.startswith(("[", "{", "$"))):
        return ": a quote, a bracket or ${ in it has no end"
    return ": its value has characters that mean something to Hydra; quote it twice, " + twice


def sweeps_nothing(text: str, key: str) -> str:
    """Why `text`, a sweep over no value of `key`, is refused."""
    cure = f"give a value, such as {key}=A, or several, {key}=A,B"
    if "range(" in text:
        cure = f"give a STOP behind START, which is left out itself: {key}=range(START,STOP)"
    elif "glob(" in text:
        cure = f"no file of conf/{key} has such a name; give another pattern, or {key}=A,B"
        if key not in GROUPS:
            cure = f"{key} has no files, which glob chooses from; write {key}=A,B"
    return f"{text} sweeps over nothing; {cure}"


def _quoted_twice(text: str) -> str:
    """`text` for a shell, its value quoted for Hydra; empty where Hydra cannot read that either.
    Within quotes a backslash counts only before a quote."""
    key, _, value = text.partition("=")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    quoted = re.sub(r'(\\*)"', r'\1\1\\"', value)
    quoted = re.sub(r"(\\+)$", r"\1\1", quoted)
    override = f'{key}="{quoted}"'
    return shlex.quote(override) if _is_readable(override) else ""


def _is_readable(text: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        OverridesParser.create().parse_override(text)
    except (HydraException, OmegaConfBaseException, ValueError):
        return False
    return True
