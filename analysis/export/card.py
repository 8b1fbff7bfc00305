"""One key of a model card's YAML front matter, replaced or added; all else stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    import yaml

_FRONT = re.compile(
    r"\A(\ufeff?\s*---[ \t]*(\r?\n))(.*?)(^(?:---|\.\.\.)[ \t]*\r?$)", re.DOTALL | re.MULTILINE
)
CURE = "write the block by hand: the command without --card prints it"


def with_key(card: str, key: str, values: dict[str, Any]) -> str:
    """`card` with `key` in its front matter, in that one's line ends; a card without front matter
    gets one. Raises `AnalysisError` where the front matter is no block of YAML keys, or where
    another key would change."""
    front = _FRONT.match(card)
    if front is None:
        mark, body = ("\ufeff", card[1:]) if card.startswith("\ufeff") else ("", card)
        end = re.search(r"\r?\n", body)
        newline = end[0] if end else "\n"
        return f"{mark}---{newline}{_block(key, values, newline, 0)}---{newline}{body}"
    opening, newline, inner, closing = front.groups()
    new = _replaced(inner, key, values, newline)
    return f"{opening}{new}{closing}{card[front.end() :]}"


def _replaced(inner: str, key: str, values: dict[str, Any], newline: str) -> str:
    import yaml

    try:
        root = yaml.compose(inner, Loader=yaml.SafeLoader)
        before = yaml.safe_load(inner)
    except yaml.YAMLError as error:
        raise _refused(f"is not YAML ({' '.join(str(error).split())})") from None
    if root is None:
        return f"{inner}{_block(key, values, newline, 0)}"
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _refused("is not a list of keys, each on a line of its own")
    block = _block(key, values, newline, root.start_mark.column)
    start, end = _place(root, inner, key)
    ended = "" if start == 0 or inner[:start].endswith("\n") else newline
    new = f"{inner[:start]}{ended}{block}{inner[end:]}"
    try:
        after = yaml.safe_load(new)
    except yaml.YAMLError:
        raise _refused(f"uses an anchor of {key} elsewhere") from None
    before.pop(key, None)
    if after.pop(key, None) is None or repr(after) != repr(before):
        raise _refused("would change in another key")
    return new


def _place(root: yaml.MappingNode, inner: str, key: str) -> tuple[int, int]:
    """From where to where the lines of `key` are; the end where there is none."""
    own = [(name, value) for name, value in root.value if name.value == key]
    if not own:
        return len(inner), len(inner)
    if len(own) > 1:
        raise _refused(f"has {key} twice")
    [(name, value)] = own
    start = inner.rfind("\n", 0, name.start_mark.index) + 1
    if inner[start : name.start_mark.index].strip():
        raise _refused(f"has something before {key} on its line")
    end = max(name.end_mark.index, _end(value, name.end_mark.index))
    if inner[end - 1] != "\n":  # the value of `|` ends after its line, any other within it
        line_end = inner.find("\n", end)
        end = len(inner) if line_end < 0 else line_end + 1
    return start, end


def _end(node: yaml.Node, after: int) -> int:
    """Where the text of `node` ends: a collection's mark is behind the comments that follow it. An
    alias has the marks of what it stands for, which is not behind `after`."""
    import yaml

    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style:
        parts = [
            item for part in node.value for item in (part if isinstance(part, tuple) else (part,))
        ]
        return max((_end(part, after) for part in parts), default=after)
    return int(node.end_mark.index) if node.start_mark.index >= after else after


def _block(key: str, values: dict[str, Any], newline: str, indent: int) -> str:
    import yaml

    text = yaml.safe_dump({key: values}, sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(f"{' ' * indent}{line}{newline}" for line in text.splitlines())


def _refused(reason: str) -> AnalysisError:
    return AnalysisError(f"the card's front matter {reason}; {CURE}")
