"""What a network answers, and which part of it are the logits: a tensor, or a dict, dataclass,
tuple (also a named one) or list that has them at one clear place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

AUXILIARY_WEIGHT = 0.3
"""Of each auxiliary head's loss: Szegedy 2015 (GoogLeNet), section 5, and timm's Inception-v3."""
_NAMES = ("logits", "out")
"""Of logits, in this order: as Hugging Face and torchvision call them."""
_AUXILIARY = "aux"  # what names of auxiliary heads begin with


@dataclass(frozen=True)
class Answer:
    """logits: (batch, classes); name: where they were, None where they are the whole answer;
    auxiliary: of heads that are trained too, each as large as the logits; unread: the other
    parts."""

    logits: torch.Tensor
    name: str | None = None
    auxiliary: Mapping[str, torch.Tensor] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def read(output: Any) -> Answer | None:
    """None where no part is clearly the logits."""
    import torch

    if isinstance(output, torch.Tensor):
        return Answer(output)
    named = parts(output)
    name = _name_of_logits(output, named)
    if name is None or not isinstance(named[name], torch.Tensor):
        return None
    logits = named.pop(name)
    is_plain = _is_plain(output)
    auxiliary = {
        other: value
        for other, value in named.items()
        if isinstance(value, torch.Tensor)
        and value.shape == logits.shape
        and (is_plain or other.startswith(_AUXILIARY))
    }
    return Answer(logits, name, auxiliary, tuple(one for one in named if one not in auxiliary))


def loss(criterion: Any, output: Any, targets: Any) -> Any:
    """The criterion's loss of the logits, and with their weight of the auxiliary heads'. Raises
    `TypeError` where no part is clearly the logits."""
    answer = read(output)
    if answer is None:
        raise TypeError(f"no logits in the {type(output).__name__} that the network answers")
    total = criterion(answer.logits, targets)
    for logits in answer.auxiliary.values():
        total = total + AUXILIARY_WEIGHT * criterion(logits, targets)
    return total


def logits(output: Any) -> Any:
    """(batch, classes) of what a network answers. Raises `TypeError` where no part is clearly
    them."""
    answer = read(output)
    if answer is None:
        raise TypeError(f"no logits in the {type(output).__name__} that the network answers")
    return answer.logits


def note(output: Any, *, is_training: bool) -> str | None:
    """Which parts of an answer are used; None for a tensor."""
    answer = read(output)
    if answer is None or answer.name is None:
        return None
    words = f"of the network's {type(output).__name__}, {answer.name} is used"
    others = [*answer.unread]
    if is_training and answer.auxiliary:
        words += f"; the loss adds {AUXILIARY_WEIGHT} times that of {_listed(answer.auxiliary)}"
    else:
        others += answer.auxiliary
    unread = f"; {_listed(others)} unused" if others else ""
    return f"{'training' if is_training else 'test'}: {words}{unread}"


def _listed(names: Any) -> str:
    return ", ".join(names)


def parts(output: Any) -> dict[str, Any]:
    """Parts of an answer by name (of tuples and lists their place, `[0]`), without those that are
    None; empty where it has none."""
    if isinstance(output, Mapping):
        named = {name: value for name, value in output.items() if isinstance(name, str)}
    elif _is_plain(output):
        named = {f"[{place}]": value for place, value in enumerate(output)}
    elif hasattr(output, "_fields"):
        named = dict(zip(output._fields, output, strict=True))
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        named = {one.name: getattr(output, one.name) for one in dataclasses.fields(output)}
    else:
        named = {name: getattr(output, name) for name in _NAMES if hasattr(output, name)}
    return {name: value for name, value in named.items() if value is not None}


def expression(output: Any, name: str) -> str:
    """How Python takes that part out of `output`."""
    if _is_plain(output):
        return name
    return f"[{name!r}]" if isinstance(output, Mapping) else f".{name}"


def _is_plain(output: Any) -> bool:
    """A list, or a tuple without names."""
    return isinstance(output, list | tuple) and not hasattr(output, "_fields")


def _name_of_logits(output: Any, named: Mapping[str, Any]) -> str | None:
    name = next((one for one in _NAMES if one in named), None)
    if name is not None:
        return name
    is_ordered = isinstance(output, list | tuple)  # a dict's order says nothing
    return next(iter(named), None) if is_ordered or len(named) == 1 else None
