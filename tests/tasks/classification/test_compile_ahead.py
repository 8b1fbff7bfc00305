"""torch.compile works in set-up: no window pays for it, and nothing else is changed by it.

The compiler's own back end takes a minute for the smallest network, so PyTorch's tracing (forward,
backward, inference) runs here with a back end that counts what it is given and runs it as it is.
"""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import torch

from tasks.classification import compile_ahead as classification_compile
from tasks.running.compilation import CompileError
from tasks.running.execute import execute
from tests.tasks.classification.test_session import SMALL, prepared
from tests.tasks.counting_window import CountingWindow

pytestmark = pytest.mark.trains

TINY = (
    *SMALL,
    "model=test_resnet",
    "model.input_size=64",
    "batch_size=4",
    "compile=true",
    "hardware.accelerator=cpu",
    "meter=fixed",
    "data.options.test_samples=10",
)


def test_no_phase_compiles_anything_that_set_up_did_not(compose, graphs):
    session = prepared(compose(*TINY))
    num_graphs = len(graphs)
    session.train(CountingWindow(3))
    session.test(CountingWindow(3))  # 4, 4 and 2 images: the whole set
    assert num_graphs == len(graphs) == 4  # forward, backward, and tests of two sizes
    session.close()


@pytest.mark.parametrize(("phases", "num_graphs"), [("train", 2), ("test", 2)])
def test_only_the_phases_of_the_plan_are_compiled(compose, graphs, phases, num_graphs):
    prepared(compose(*TINY, f"phases={phases}")).close()
    assert len(graphs) == num_graphs


def test_batches_that_are_kept_have_the_same_graphs(compose, graphs):
    session = prepared(compose(*TINY, "data=tensors", "phases=train"))
    num_graphs = len(graphs)
    session.train(CountingWindow(2))
    assert num_graphs == len(graphs) == 2
    session.close()


def test_a_mixing_and_erasing_training_is_compiled_for_its_own_targets(compose, graphs):
    session = prepared(compose(*TINY, "model.training=deit", "phases=train", "precision=bf16"))
    num_graphs = len(graphs)
    session.train(CountingWindow(1))
    assert num_graphs == len(graphs) == 2
    session.close()


def test_full_and_last_batches_of_the_test_set_have_kernels_of_their_own(compose, graphs):
    prepared(compose(*TINY, "phases=test")).close()
    images = [
        node.meta["val"]
        for graph in graphs
        for node in graph.graph.nodes
        if node.op == "placeholder" and node.meta["val"].shape[-2:] == (64, 64)
    ]
    lengths = [image.shape[0] for image in images]
    assert lengths == [4, 2]
    assert all(isinstance(length, int) for length in lengths)  # not a symbol for any size


def test_a_run_finds_nothing_compiled_by_an_earlier_one_of_the_sweep(compose, graphs):
    for num_graphs in (2, 4):
        prepared(compose(*TINY, "phases=train")).close()
        assert len(graphs) == num_graphs


def test_a_compiled_session_starts_from_the_same_state_as_a_plain_one(compose, graphs):
    """Weights, BatchNorm's means, gradients, optimizer, mode and random numbers."""
    states = []
    for flag in ("false", "true"):
        random.seed(1)
        np.random.seed(1)
        session = prepared(compose(*TINY, f"compile={flag}", "model.training=deit"))
        network = getattr(session.network, "_orig_mod", session.network)
        assert network.training
        assert all(parameter.grad is None for parameter in network.parameters())
        assert not session.optimizer.state
        states.append((network.state_dict(), torch.rand(2), random.random(), np.random.rand()))
        session.close()
    (plain, *numbers), (compiled, *same_numbers) = states
    assert plain.keys() == compiled.keys()
    assert all(torch.equal(plain[key], compiled[key]) for key in plain)
    assert torch.equal(numbers[0], same_numbers[0])
    assert numbers[1:] == same_numbers[1:]
    assert graphs


def test_a_compiler_that_fails_ends_the_run_in_one_line_with_the_cure(compose, monkeypatch):
    def broken(_graph, _inputs):
        raise KeyError("op7")

    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda net, **given: real(net, backend=broken, **given))
    failure = execute(compose(*TINY, "meter.idle_s=0")).record.failure
    torch.compiler.reset()
    assert failure is not None
    assert failure.type == CompileError.__name__
    assert failure.message == (
        "compile=true: torch.compile fails for model=test_resnet on cpu (KeyError: 'op7'); "
        "use compile=false"
    )
    assert "in broken" in failure.traceback
    assert "BackendCompilerFailed" in failure.traceback


def test_the_compiler_s_time_is_the_set_up_s(compose, monkeypatch):
    monkeypatch.setattr(classification_compile, "compiled", lambda network: network)
    monkeypatch.setattr(classification_compile, "ahead", lambda _: time.sleep(5.0))
    record = execute(compose(*TINY, "meter.idle_s=0", "meter.num_steps=1")).record
    assert record.status == "finished"
    (set_up,) = (one for one in record.overheads if one.name == "set-up")
    assert set_up.duration_s > 5.0
