"""Texts without paths, addresses, names of machines and UUIDs, by what such things look like.

A word that is a name and looks like none (`alice`) is known from elsewhere alone: see `names`.
Doubtful words go: a text that lost a word too much still says what it is about.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping

NAME, PATH, USER, HOST, EMAIL, ADDRESS = (
    "<name>",
    "<path>",
    "<user>",
    "<host>",
    "<email>",
    "<address>",
)
URL = "<url>"
LEAST_NAME = 4
_ROOTS = (
    "home|root|Users|users|work|data|datasets|scratch|mnt|media|tmp|var|opt|usr|srv|nfs|gpfs|lustre"
)
_REST = r"[^\s\"'`,;:()<>]*(?: [A-Za-z][\w.@+-]*/[^\s\"'`,;:()<>]*)*"
"""Of a path, with what follows a space where that goes on as a path does: `Doe/my data/x`."""
_UNIX = (
    r"(?<![\w/.<>])(?:~[\w.-]*(?=/|\b)|"
    rf"\$\{{?\w+\}}?(?=/\w)|/(?:{_ROOTS})(?=/)|/[\w.@+-]+/[\w.@+-]+(?![\w.@+-])){_REST}"
)
_WINDOWS = r"(?<!\w)(?:[A-Za-z]:\\+|\\\\+)(?:[^\\/:*?\"'<>|\n]+\\+)*[^\s\\\"'`,;()<>|]*"
_QUOTED = r"(?<=['\"])(?:/[\w.@+-]+/|[A-Za-z]:\\|\\\\|~/)[^'\"\n]*(?=['\"])"
_RELATIVE = rf"(?<![\w./<])(?:(?:\.\./)+[\w.-]|(?:home|[Uu]sers)/[\w.-]){_REST}"
_ONE_PART = r"(?<![^\s=:'\"(\[,])/[A-Za-z_][\w.@+-]{2,}(?![\w/])"
_PATHS = re.compile(rf"{_QUOTED}|{_UNIX}|{_ONE_PART}|{_RELATIVE}|{_WINDOWS}")
_IS_PATH = re.compile(
    r"\s*(?:file:|/\w|~(?:/|[A-Za-z_][\w.-]*(?:/|$))|\$\{?\w+\}?(?:[/\\]|$)|"
    r"[A-Za-z]:[\\/]|\\\\|\.\.?/)"
)
"""How a text begins that is a path as a whole, spaces and all."""
_PACKAGE = re.compile(r".*(?:site-packages|dist-packages|lib/python[\d.]+)[/\\](.*)")
_UUID = re.compile(
    r"(?:GPU-|MIG-)?[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
    r"(?<!\w)(?:GPU|MIG)-[0-9a-f]{6,12}(?![\w-])"
)
_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,30})://([^\s\"'`<>]+)")
_PUBLIC = (
    "pytorch.org", "openmmlab.com", "huggingface.co", "github.com", "githubusercontent.com",
    "arxiv.org", "nvidia.com", "spdx.org", "cyclonedx.org", "python.org", "example.org",
)  # fmt: skip
"""Sites of whose address the host alone stays: it tells where weights come from, not who ran."""
_EMAIL = re.compile(r"[\w.+-]{1,200}@[A-Za-z][\w-]*(?:\.[\w-]+)*")
_AT_HOST = re.compile(
    r"[\w.+-]{1,200}@(?:[A-Za-z][\w.-]*:[^\s\"'`<>,;]+|\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|"
    r"\[[0-9A-Fa-f:.]+\]|<(?:address|host|name|user)>)"
)
"""A login at a machine, also with a place there (`git@host:team/repo.git`)."""
_REPOSITORY = re.compile(r"(?<![\w./-])[A-Za-z][\w.-]*:[\w./~-]+\.git\b")
_PORT = re.compile(
    r"(?<![\w./<-])(?![\w.-]+\.(?:py|pyx|c|cc|cpp|cu|cuh|h|hpp|so|ya?ml|json):)"
    r"[A-Za-z][\w-]*(?:\.[\w-]+)*:[1-9]\d{3,4}(?![\w.:])"
)
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:%\w+)?(?![\w:])")
_MAC = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:])")
_TOP = (
    "com|org|net|edu|gov|mil|int|local|lan|internal|intranet|localdomain|corp|cluster|hpc|"
    "(?:ac|co|edu|gov)\\.[a-z]{2}"
)
_COUNTRIES = (
    "fr|de|uk|ch|nl|se|dk|fi|es|pt|pl|cz|hu|gr|ie|cn|jp|kr|tw|sg|hk|au|nz|ca|us|br|mx|tr|eu|be|lu|"
    "at|it|no|il|ro|sk|si|hr|bg|ee|lv|lt"
)
_DOMAIN = re.compile(
    rf"(?<![\w.@-])(?:[A-Za-z0-9-]+\.)+(?:{_TOP})(?![\w.(-])(?!\.\w)|"
    rf"(?<![\w.@-])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\.(?:{_COUNTRIES})(?![\w(-])(?!\.\w)"
)
_NODES = re.compile(r"(?<![\w.])[A-Za-z][\w-]{0,60}\[\d+(?:[,-]\d+)+\](?:-\w+)?")
_NODE = re.compile(
    r"(?<![\w./-])(?:(?:[a-z][a-z0-9]*[-_])*"
    r"(?:(?:node|nid|dgx|login|compute|worker|srv|[cg]node|gpunode)[-_]?(?:[a-z]\w*[-_])?\d+|"
    r"(?:gpu|cn|gn|host|server|cluster|hpc|ws|rack)[-_]?\d{2,})|r\d+i\d+n\d+|"
    r"(?:desktop|laptop|win)-[a-z0-9]*\d[a-z0-9]*|ip(?:-\d{1,3}){4})(?:-\w+)*(?![\w/])",
    re.I,
)
_LABELS = (
    "user(?:[._]?name)?|login|log_?name|host(?:_?name)?|node_?(?:name|list)|account|owner|author|"
    "entity|e-?mail|pass(?:word|wd)|(?:api|access|secret|private|ssh|auth)[_-]?key(?:_?id)?|"
    "passphrase|credentials?|token|secret"
)
_LABELLED = re.compile(
    rf"(?<![A-Za-z])((?:--)?(?:{_LABELS})\"?'?\s*[=:]\s*|--(?:{_LABELS})\s+|SLURM\w*\s*[=:]\s*)"
    r"([\"']?)(?!<|None\b|null\b|True\b|False\b|true\b|false\b)([^\s\"',;)\]}>]+)",
    re.I,
)
_USER_QUOTED = re.compile(
    r"\b((?:user(?:name)?|account|login|host|node)\s+)(['\"])(?!<)[^'\"\n]+\2", re.I
)
_PERSON = re.compile(
    r"(?<![A-Za-z])((?:user[._]?name|author|owner|(?:real|full)_?name)[\"']?\s*[=:]\s*[\"']?)"
    r"(?-i:[A-Z])[\w.'-]*(?: (?-i:[A-Z])[\w.'-]*)+",
    re.I,
)
"""A person's name of several words."""
IS_LABEL = re.compile(rf"(?:.*[_.-])?(?:{_LABELS})|.*(?:ApiKey|Token|Secret|Password)", re.I)
"""Of a key of a config whose value is a name or a secret."""
_TOKEN = re.compile(r"(?<![\w-])(?:hf_|ghp_|gho_|github_pat_|glpat-|sk-|xox[bp]-|AKIA)[\w-]{12,}")
_IDS = re.compile(r"\b([ug]id=\d+|groups=\d+)\([^)]*\)")


def board_hash(uuid: str) -> str:
    """`board-` and 16 hex digits, the same for the same board wherever it is hashed."""
    return f"board-{hashlib.sha256(f'watt-for-what board {uuid}'.encode()).hexdigest()[:16]}"


def scrubbed(text: str, names: Mapping[str, str]) -> str:
    """`text` without what names a machine, a person or a place in a file system; names: word to
    what stands for it. A second time changes nothing."""
    for pattern, stand_in in _RULES:
        text = pattern.sub(stand_in, text)
    return without_names(text, names)


def scrubbed_value(text: str, names: Mapping[str, str], is_message: bool) -> str:
    """`scrubbed`, but for a text that is a path as a whole, which goes whole: no rule tells where
    a path with spaces ends. is_message: what follows the path's `: ` stays."""
    if not _IS_PATH.match(text):
        return scrubbed(text, names)
    path, colon, rest = text.partition(": ") if is_message else (text, "", "")
    package = _PACKAGE.search(path)
    return scrubbed((f"{PATH}/{package[1]}" if package else PATH) + colon + rest, names)


def without_names(text: str, names: Mapping[str, str]) -> str:
    """`text` with each of `names` as what stands for it, whatever its case.

    A name of four letters and more goes wherever no letter is right before or after it
    (`alicia_exp1`); a shorter one, and one that may be part of a hexadecimal number, as a word."""
    for name, word in names.items():
        before, after = r"(?<![\w<-])", r"(?![\w>-])"
        if len(name) >= LEAST_NAME and not re.fullmatch("[0-9a-f]+", name, re.I):
            before = r"(?<![A-Za-z0-9<])" if name[0].isdigit() else "(?<![A-Za-z<])"
            after = r"(?![A-Za-z0-9>])" if name[-1].isdigit() else "(?![A-Za-z>])"
        text = re.sub(rf"{before}{re.escape(name)}{after}", word, text, flags=re.I)
    return text


def _path(match: re.Match[str]) -> str:
    """Of a file of an installed package its place within the package is kept, so that a traceback
    still says where."""
    package = _PACKAGE.search(match[0])
    return f"{PATH}/{package[1]}" if package else PATH


def _url(match: re.Match[str]) -> str:
    scheme, rest = match[1].lower(), match[2]
    host = re.split(r"[/?#:]", rest.rsplit("@", 1)[-1], maxsplit=1)[0].lower()
    if scheme == "file":
        return PATH
    if scheme in ("http", "https") and any(
        host == public or host.endswith(f".{public}") for public in _PUBLIC
    ):
        return f"{scheme}://{host}"
    return URL


def _address(match: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(match[0].split("%")[0])
    except ValueError:
        return match[0]  # a version, a time of day
    return ADDRESS


def _domain(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 3) : match.start()]
    return match[0] if before == "://" else HOST


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_URL, _url),
    (_PATHS, _path),
    (_UUID, lambda match: board_hash(match[0])),
    (_AT_HOST, EMAIL),
    (_EMAIL, EMAIL),
    (_REPOSITORY, URL),
    (_PERSON, r"\1<name>"),
    (_MAC, ADDRESS),
    (_IPV4, _address),
    (_IPV6, _address),
    (_PORT, ADDRESS),
    (_DOMAIN, _domain),
    (_NODES, HOST),
    (_NODE, HOST),
    (_LABELLED, r"\1\2<name>"),
    (_TOKEN, NAME),
    (_USER_QUOTED, r"\1\2<name>\2"),
    (_IDS, r"\1(<name>)"),
)
