"""Whether this process was asked to end. Windows look at it between steps: the exception of a
signal may have been lost in a destructor or in a library's callback.

Signals belong to the process, and so does the flag.
"""

from __future__ import annotations

_asked: list[BaseException] = []


def ask(leaving: BaseException) -> None:
    """Ask the run to end; `leaving` is what ends it."""
    _asked.append(leaving)


def asked() -> BaseException | None:
    """What ends the run, where it was asked to end."""
    return _asked[0] if _asked else None


def check() -> None:
    """Raises what `ask` was given, where the run was asked to end."""
    if _asked:
        raise _asked[0]


def clear() -> None:
    """The next run was not asked to end."""
    _asked.clear()
