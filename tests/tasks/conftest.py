"""What tests of several tasks share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[torch.fx.GraphModule]]:
    """The graphs that were compiled so far, one for each forward, backward and inference."""
    import torch  # the compiler takes seconds to import, and few tests need it
    from functorch.compile import make_boxed_func
    from torch._dynamo.backends.common import aot_autograd

    compiled: list[torch.fx.GraphModule] = []

    def keep(graph: torch.fx.GraphModule, _inputs: Any) -> Any:
        compiled.append(graph)
        return make_boxed_func(graph.forward)

    real = torch.compile
    backend = aot_autograd(fw_compiler=keep, bw_compiler=keep, inference_compiler=keep)
    monkeypatch.setattr(torch, "compile", lambda net, **given: real(net, backend=backend, **given))
    yield compiled
    torch.compiler.reset()
