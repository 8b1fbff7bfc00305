"""Hugging Face's libraries where the Hub cannot be reached: they ask six times, for half a minute
and more, before they look at what lies here. One connection tells (this can go once they have a
switch that is read after the import)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

PATIENCE_S = 5.0


def hub_answers() -> bool:
    """Whether the Hub, or the proxy that leads to it, takes a connection within `PATIENCE_S`."""
    from huggingface_hub import constants

    hub = urlsplit(constants.ENDPOINT)
    proxies = getproxies()
    proxy = proxies.get(hub.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(hub.hostname or ""):
        hub = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = hub.port or {"http": 80, "socks5": 1080}.get(hub.scheme, 443)
    try:
        socket.create_connection((hub.hostname or "", port), timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True


@contextmanager
def what_lies_here(only: bool) -> Iterator[None]:
    """`datasets` opens what lies on this machine and asks for nothing. only: False where the Hub
    is asked too, if it answers."""
    import datasets.config
    from huggingface_hub import constants

    switches: tuple[Any, ...] = (datasets.config, constants)
    before = [one.HF_HUB_OFFLINE for one in switches]
    offline = only or not hub_answers()
    try:
        for one, was in zip(switches, before, strict=True):
            one.HF_HUB_OFFLINE = was or offline
        yield
    finally:
        for one, was in zip(switches, before, strict=True):
            one.HF_HUB_OFFLINE = was
