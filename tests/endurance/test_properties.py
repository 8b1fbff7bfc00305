"""What must hold for every estimate, index and interval, whatever the numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.estimates.between_runs import pooled_spread, rate_over_runs
from analysis.estimates.estimate import Part, Quantity, estimate, total, whole_run
from analysis.estimates.metrics import gqi
from analysis.estimates.ranks import pareto_front, ranks
from metering.record import Stage
from metering.statistics import rate_interval, warmup_length

settings.register_profile("quick", deadline=None, max_examples=100)
settings.load_profile("quick")

kwh = st.floats(1e-9, 1e6)
half_width = st.floats(0, 1e3)
names = st.sampled_from(["train", "test", "teacher", "backbone"])
spreads = st.none() | st.dictionaries(names, half_width, max_size=4)
quantities = st.builds(Quantity, kwh, spreads)
epochs = st.integers(1, 2_000)
samples = st.integers(1, 20_000_000)
series = st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=60)


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


@given(st.lists(quantities, min_size=1, max_size=6), st.randoms())
def test_a_sum_does_not_depend_on_its_order(parts, draw):
    shuffled = draw.sample(parts, len(parts))
    one, other = total(parts), total(shuffled)
    assert close(one.value, other.value)
    assert (one.half_width is None) == (other.half_width is None)
    assert one.half_width is None or close(one.half_width, other.half_width)


@given(st.lists(quantities, min_size=2, max_size=6), st.integers(1, 5))
def test_a_sum_of_sums_is_the_sum(parts, cut):
    assume(cut < len(parts))
    nested = total([total(parts[:cut]), total(parts[cut:])])
    flat = total(parts)
    assert close(nested.value, flat.value)
    assert nested.half_width is None or close(nested.half_width, flat.half_width)


@given(quantities, st.floats(0, 1e6))
def test_a_factor_scales_the_value_and_the_interval(quantity, factor):
    scaled = quantity.times(factor)
    assert close(scaled.value, factor * quantity.value)
    if quantity.half_width is None:
        assert scaled.half_width is None
    else:
        assert close(scaled.half_width, factor * quantity.half_width)


@given(
    st.lists(
        st.builds(Quantity, kwh, st.dictionaries(names, half_width, min_size=1)),
        min_size=1,
        max_size=6,
    )
)
def test_the_interval_of_a_sum_is_at_least_its_widest_and_at_most_all_together(parts):
    widths = [part.half_width for part in parts]
    of_sum = total(parts).half_width
    assert max(widths) * (1 - 1e-9) <= of_sum <= sum(widths) * (1 + 1e-9)


@given(kwh, half_width, samples, st.lists(epochs, min_size=1, max_size=5))
def test_stages_cost_what_their_epochs_cost_at_once(rate, width, num_samples, split):
    """However a schedule is cut into stages of one workload, it costs the same and is as sure."""
    part = Part("supervised", Quantity(rate, {"supervised": width}), "measured")
    in_pieces = [Stage(f"s{n}", num_samples=num_samples, num_epochs=e) for n, e in enumerate(split)]
    at_once = [Stage("all", num_samples=num_samples, num_epochs=sum(split))]
    a, b = (estimate(recipe, lambda _: part, lambda _: None).kwh for recipe in (in_pieces, at_once))
    assert close(a.value, b.value) and close(a.half_width, b.half_width)
    assert close(a.value, float(Fraction(rate) * num_samples * sum(split)))


@given(kwh, samples, epochs, st.lists(kwh, max_size=3), st.floats(0, 3))
def test_whole_rows_are_added_as_often_as_their_share_says(rate, num_samples, num, rows, share):
    costs = {f"row{n}": Part("row", Quantity(cost), "published") for n, cost in enumerate(rows)}
    recipe = [Stage("train", num_samples=num_samples, num_epochs=num)]
    recipe += [Stage(name, row=name, share=share) for name in costs]
    part = Part("supervised", Quantity(rate), "measured")
    estimated = estimate(recipe, lambda _: part, costs.get)
    assert close(estimated.kwh.value, rate * num_samples * num + share * sum(rows))
    assert estimated.is_measured == (not rows or share == 0)


@given(quantities, st.integers(0, 10**6), quantities, st.integers(0, 300), quantities)
def test_a_whole_run_is_at_least_its_set_up(set_up, num_steps, step, num_evaluations, evaluation):
    whole = whole_run(set_up, num_steps, step, num_evaluations, evaluation)
    assert whole.value >= set_up.value


accuracy = st.floats(0.1, 100)
paid = st.floats(1.001, 1e7)


@given(accuracy, paid, paid)
def test_more_electricity_for_the_same_accuracy_is_a_lower_index(top1, one, other):
    assume(one < other * (1 - 1e-9))
    assert gqi(top1, one).value > gqi(top1, other).value


@given(accuracy, accuracy, paid)
def test_more_accuracy_for_the_same_electricity_is_a_higher_index(low, high, energy):
    assume(low < high * (1 - 1e-9))
    assert gqi(low, energy).value < gqi(high, energy).value


@given(accuracy, paid, st.floats(0, 0.01))
def test_the_index_moves_within_its_interval_when_the_electricity_does(top1, energy, share):
    assume(energy * (1 - share) > 1.001 and share * energy / (energy - 1) < 1e-2)
    width = share * energy
    index = gqi(top1, energy, width)
    assert index.half_width >= 0
    moved = abs(gqi(top1, energy + width).value - index.value)
    assert moved == pytest.approx(index.half_width, rel=0.05, abs=1e-12)


@given(st.floats(0, 100), st.floats(1e-12, 1.0))
def test_the_index_is_null_with_a_reason_at_and_under_one_kwh(top1, energy):
    index = gqi(top1, energy)
    assert index.value is None and index.half_width is None and index.note


@given(st.lists(st.none() | st.floats(0.01, 10), max_size=12), st.data())
def test_a_rank_lies_in_its_interval_for_what_has_one(values, data):
    widths = [data.draw(st.none() | st.floats(0, 1)) for _ in values]
    ranked = ranks(values, widths, num_draws=100)
    # a width of nothing is no interval: such a value has no rank either
    have_both = [v is not None and bool(w) for v, w in zip(values, widths, strict=True)]
    num_present = sum(have_both)
    for has_both, rank in zip(have_both, ranked, strict=True):
        assert (rank is not None) == (has_both and num_present > 1)
        if rank is None:
            continue
        assert 1 <= rank.rank <= num_present
        if rank.low is not None and rank.high is not None:
            assert 1 <= rank.low <= rank.high <= num_present
            assert 0 <= rank.stability <= 1


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=8), st.floats(1e-3, 1e3))
def test_the_interval_over_runs_has_the_unit_of_the_rates(rates, factor):
    widths = [0.01 * rate for rate in rates]
    one = rate_over_runs(rates, widths, pooled_spread([rates]))
    scaled = [factor * rate for rate in rates]
    other = rate_over_runs(scaled, [factor * width for width in widths], pooled_spread([scaled]))
    assert min(rates) * (1 - 1e-9) <= one.value <= max(rates) * (1 + 1e-9)
    assert other.value == pytest.approx(factor * one.value, rel=1e-9)
    assert other.half_width == pytest.approx(factor * one.half_width, rel=1e-6)


@given(st.lists(st.tuples(accuracy, kwh), min_size=1, max_size=15))
def test_a_row_is_on_the_front_unless_another_beats_it(rows):
    front = pareto_front([top1 for top1, _ in rows], [energy for _, energy in rows])
    for (top1, energy), on_front in zip(rows, front, strict=True):
        beaten = any(a >= top1 and e <= energy and (a, e) != (top1, energy) for a, e in rows)
        assert on_front == (not beaten)


@given(series, st.integers(1, 512), st.floats(0.5, 0.999))
def test_the_rate_lies_between_the_blocks_and_its_interval_is_not_negative(amounts, size, level):
    interval = rate_interval(amounts, [size] * len(amounts), level)
    rates = [amount / size for amount in amounts]
    assert min(rates) * (1 - 1e-9) <= interval.mean <= max(rates) * (1 + 1e-9)
    assert interval.half_width >= 0
    assert 2 <= interval.num_effective_blocks <= max(2, len(amounts))


@given(series, st.floats(1e-3, 1e3))
def test_the_interval_has_the_unit_of_the_amounts(amounts, factor):
    """Joules instead of kWh change nothing but the scale."""
    sizes = [32] * len(amounts)
    one = rate_interval(amounts, sizes, 0.95)
    other = rate_interval([factor * amount for amount in amounts], sizes, 0.95)
    assert other.mean == pytest.approx(factor * one.mean, rel=1e-9)
    assert other.half_width == pytest.approx(
        factor * one.half_width, rel=1e-6, abs=1e-9 * factor * one.mean
    )


@given(series, st.floats(0.5, 0.9), st.floats(0.91, 0.999))
def test_more_confidence_is_a_wider_interval(amounts, low, high):
    sizes = [32] * len(amounts)
    narrow, wide = (rate_interval(amounts, sizes, level).half_width for level in (low, high))
    assert narrow <= wide


@given(st.floats(1e-6, 1e3), st.integers(2, 50))
def test_equal_blocks_leave_no_doubt_and_no_warm_up(amount, count):
    interval = rate_interval([amount] * count, [32] * count, 0.95)
    assert interval.half_width <= 1e-9 * interval.mean
    assert warmup_length([amount] * count) == 0


@given(series)
def test_warm_up_is_at_most_half_of_the_blocks(amounts):
    assert 0 <= warmup_length(amounts) <= len(amounts) // 2
