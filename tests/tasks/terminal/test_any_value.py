"""Any value of any key: the run is planned, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

import run
from tests.tasks.terminal.typed import type_in

pytestmark = pytest.mark.slow
CONF = Path(run.CONF)


def _keys(values: object, prefix: str = "") -> list[str]:
    if not isinstance(values, dict):
        return []
    here = [f"{prefix}{name}" for name in values if name not in ("hydra", "defaults")]
    return here + [
        key
        for name in values
        if name not in ("hydra", "defaults")
        for key in _keys(values[name], f"{prefix}{name}.")
    ]


KEYS = sorted(
    {
        *_keys(OmegaConf.to_container(OmegaConf.load(CONF / "config.yaml"), resolve=False)),
        *(f"meter.{key}" for key in OmegaConf.load(CONF / "meter" / "adaptive.yaml")),
        *(
            f"data.options.{key}"
            for key in OmegaConf.load(CONF / "data" / "synthetic.yaml").options
        ),
        "experiment",
        "scale",
        "model.source",
        "model.name",
    }
    - {"dry_run", "output_dir", "data.cache_dir"}
)
VALUES = st.one_of(
    st.sampled_from(["null", "true", "nan", "-inf", "[]", "{}", "[1,2]", "{a: 1}", "''", "???",
                     "1e400", "a,b", "range(1,3)", "${nope}", "${model}", "${", "a=b", "0x10",
                     "1_0", "../..", "a b", "'8'", "-1", "0", "1", "2.5", "10000000000000000000000",
                     "resnet18", "train", "cpu", "~", "é", "a'b", 'a"b', "\\", "@", "!!binary x"]),
    st.integers().map(str), st.floats().map(str), st.text(max_size=8).map(str),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "", "", "+", "++"]), st.sampled_from(KEYS), VALUES),
        min_size=1,
        max_size=2,
    )
)
def test_any_value_of_any_key_is_planned_or_refused_in_one_line(
    given_keys: list[tuple[str, str, str]],
) -> None:
    arguments = [f"{plus}{key}={value}" for plus, key, value in given_keys]
    status, said = type_in(*arguments)
    assert status in (0, 2), said
    if status == 2:
        assert len(said.splitlines()) == 1 and said.startswith("error: "), (arguments, said)
    assert "Traceback" not in said
