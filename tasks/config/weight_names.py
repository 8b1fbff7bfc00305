"""Where in a file of weights those of a network are, and which words scripts and wrappers put
before their names.

Needs no PyTorch: a weight is whatever has a `shape`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

_PLAIN_KEYS = (  # timm looks at the first two, in this order
    "state_dict",
    "model",
    "model_state_dict",
    "model_state",
    "network",
    "net",
    "weights",
    "params",
    "student",
)
_AVERAGE_KEYS = (  # timm looks at the first two, in this order
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "model_ema_state_dict",
    "ema_model",
    "ema",
    "params_ema",
    "teacher",
)
_MOST_LEVELS = 3  # of dicts around the weights
_OF_AVERAGE = re.compile(r"(^|[._])(ema|swa|averaged?|avg|teacher)|ema([._]|$)", re.IGNORECASE)
_WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Of DataParallel, torch.compile, FSDP and activation checkpointing."""
_COUNTERS = ("n_averaged", "initted", "step")
"""What PyTorch's AveragedModel and the package ema-pytorch keep beside the weights, one number."""
_OF_LIGHTNING = "current_model_state"
"""Where Lightning's WeightAveraging puts the plain weights; the average is then the state_dict."""


@dataclass(frozen=True)
class Chosen:
    """weights: by the network's own names; key: where the file has them, None at its top;
    removed: what was taken out of their names; is_average: whether they are an average (EMA);
    has_both: whether the file has plain ones and an average."""

    weights: Mapping[str, Any]
    key: str | None = None
    removed: tuple[str, ...] = ()
    is_average: bool = False
    has_both: bool = False

    @property
    def note(self) -> str:
        """Where they were found, for a reader of the record; empty where that is the usual."""
        is_usual = self.key in (None, *_PLAIN_KEYS[:2], *_AVERAGE_KEYS[:2])
        parts = [] if is_usual else [f"found under {self.key}"]
        if words := [one for one in self.removed if one not in ("module.", "_orig_mod.")]:
            parts.append(f"names read without {', '.join(words)}")
        return ", ".join(parts)


def choose(
    content: Mapping[Any, Any], own: Mapping[str, tuple[int, ...]], *, wants_average: bool
) -> Chosen | None:
    """own: shapes of the network's weights by name. The weights that fit it best, which may not fit
    it; None where an average is wanted and the file has none."""
    plain = average = None
    if not are_weights(content):
        plain, average = (_entry(content, keys) for keys in (_PLAIN_KEYS, _AVERAGE_KEYS))
        if plain == "state_dict" and isinstance(content.get(_OF_LIGHTNING), Mapping):
            plain, average = _OF_LIGHTNING, plain
        if plain is None and average is None:
            plain = _only_entry(content)
    is_average = average is not None and (wants_average or plain is None)
    has_both = plain is not None and average is not None
    key = average if is_average else plain
    state = _at(content, key)
    copies = _copies(own, state) if are_weights(state) and not is_average else {}
    if len(copies) > 1 and (prefix := _one_copy(copies, wants_average)) is not None:
        state, is_average, has_both = copies[prefix], wants_average, True
    if wants_average and not is_average:
        return None
    chosen = Chosen(state, key, (), is_average, has_both)
    return _renamed(own, chosen) if are_weights(state) else chosen


def _entry(content: Mapping[Any, Any], keys: tuple[str, ...]) -> str | None:
    """The first key that holds weights, else the first that is there; where it holds a dict that
    has them, the way there with dots."""
    there = [key for key in keys if content.get(key) is not None]
    key = next((one for one in there if isinstance(content[one], Mapping)), next(iter(there), None))
    if key is None or not isinstance(content[key], Mapping) or _has_weights(content[key]):
        return key
    within = _only_entry(content[key])
    return key if within is None else f"{key}.{within}"


def _only_entry(content: Mapping[Any, Any], level: int = 1) -> str | None:
    """The way to the only dict of weights in `content`; None for one that has weights itself."""
    if _has_weights(content) or level > _MOST_LEVELS:
        return None
    ways = []
    for key, value in content.items():
        if not isinstance(key, str) or "." in key or not isinstance(value, Mapping):
            continue
        if are_weights(value):
            ways.append(key)
        elif (within := _only_entry(value, level + 1)) is not None:
            ways.append(f"{key}.{within}")
    return ways[0] if len(ways) == 1 else None


def _at(content: Any, way: str | None) -> Any:
    for key in way.split(".") if way else ():
        content = content[key]
    return content


def _has_weights(state: Mapping[Any, Any]) -> bool:
    return any(hasattr(value, "shape") for value in state.values())


def are_weights(state: Any) -> bool:
    """Whether all of it are, but for what modules add to theirs (`get_extra_state`)."""
    return (
        isinstance(state, Mapping)
        and _has_weights(state)
        and all(
            isinstance(name, str)
            and (hasattr(value, "shape") or name.rpartition(".")[2] == "_extra_state")
            for name, value in state.items()
        )
    )


def _copies(
    own: Mapping[str, tuple[int, ...]], state: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Weights by what stands before the network's own names, where the network's are all there;
    empty where there are others too."""
    first = max(own, key=len, default="")
    bare = {_without_wrappers(name): name for name in state}
    prefixes = sorted(
        {name.removesuffix(first) for name in bare if name == first or name.endswith(f".{first}")},
        key=len,
        reverse=True,
    )
    whole = [
        prefix
        for prefix in prefixes
        if all(_shape(state, bare.get(prefix + name)) == shape for name, shape in own.items())
    ]
    copies: dict[str, dict[str, Any]] = {prefix: {} for prefix in whole}
    for name, full_name in bare.items():
        prefix = next((one for one in whole if name.startswith(one)), None)
        if prefix is not None:
            copies[prefix][full_name] = state[full_name]
        elif not _is_counter(own, name, state[full_name]):
            return {}
    return copies


def _is_counter(own: Collection[str], name: str, value: Any) -> bool:
    """Whether it is one of a wrapper's, and not the network's."""
    word = name.rpartition(".")[2]
    is_number = tuple(getattr(value, "shape", (0,))) in ((), (1,))
    return word in _COUNTERS and is_number and not any(one.endswith(word) for one in own)


def _shape(state: Mapping[str, Any], name: str | None) -> tuple[int, ...] | None:
    return None if name is None or not hasattr(state[name], "shape") else tuple(state[name].shape)


def _one_copy(copies: Collection[str], wants_average: bool) -> str | None:
    """The prefix of the only one that is an average, or is not, as wanted."""
    fitting = [one for one in copies if bool(_OF_AVERAGE.search(one)) is wants_average]
    return fitting[0] if len(fitting) == 1 else None


def _renamed(own: Collection[str], chosen: Chosen) -> Chosen:
    """With the names of which most are the network's own; with those that are there, where no
    others are more."""
    state = {
        name: value for name, value in chosen.weights.items() if not _is_counter(own, name, value)
    }
    best, most = replace(chosen, weights=state), sum(name in own for name in state)
    for words, names in _renamings(own, state):
        num_own = sum(name in own for name in names)
        if num_own > most:
            renamed = dict(zip(names, state.values(), strict=True))
            best, most = replace(chosen, weights=renamed, removed=words), num_own
    return best


def _renamings(
    own: Collection[str], state: Collection[str]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """What is taken out, and the names without it, in their order: what all begin with, by one word
    more each time, and the words of wrappers anywhere."""
    yield from _without_prefixes(list(state))
    bare = [_without_wrappers(name) for name in state]
    if len(set(bare)) < len(bare):
        return
    wrappers = tuple(f"{one}." for one in _WRAPPERS if any(f"{one}." in name for name in state))
    wrapped = {_without_wrappers(name): name for name in own}  # of a network that has wrappers too
    for words, names in ((), bare), *_without_prefixes(bare):
        yield (*words, *wrappers), [wrapped.get(name, name) for name in names]


def _without_prefixes(names: list[str]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    split = [name.split(".") for name in names]
    for number in range(1, min(map(len, split), default=0)):
        if len({tuple(words[:number]) for words in split}) > 1:
            return
        prefix = ".".join(split[0][:number]) + "."
        yield (prefix,), [name.removeprefix(prefix) for name in names]


def _without_wrappers(name: str) -> str:
    return ".".join(word for word in name.split(".") if word not in _WRAPPERS)
