"""Which part of the shop stands out, against likelihood ratios worked out by hand."""

import numpy as np
import pytest

from pipelines.analysis.findings.cubes import (
    WHOLE,
    Cube,
    StepCounts,
    as_json,
    from_json,
    label,
)
from pipelines.analysis.findings.rates import Counted, dispersion
from pipelines.analysis.findings.scan import scan
from pipelines.analysis.findings.scopes import Judged, explained_share, scopes_of

VALUES = np.array(
    [(device, channel) for device in ("desktop", "mobile") for channel in ("Email", "Paid")],
    dtype=object,
)
MOBILE = (("device", "mobile"),)
PAID_ON_MOBILE = (("device", "mobile"), ("channel", "Paid"))


def counts(successes: list[float], trials: list[float], values: np.ndarray = VALUES) -> StepCounts:
    """A step; every count on the first of 28 days."""
    by_key = np.zeros((2, len(values), 28))
    by_key[0, :, 0], by_key[1, :, 0] = trials, successes
    return Cube(("device", "channel"), values, by_key).step(1, 0)


def judged(*, floor: float = 0.5, is_leak: bool = True) -> Judged:
    return Judged(floor, is_leak, 1.0, 0.8)


def test_a_part_that_stands_out_and_by_how_much() -> None:
    one = counts([120, 120, 50, 50], [200, 200, 200, 200])
    (part,) = scan([one], 1.0)
    assert part.scope == MOBILE
    # 2 [l(100, 400) + l(240, 400) - l(340, 800)] = 2 (-224.934 - 269.205 + 545.483).
    assert part.score == pytest.approx(102.69, abs=0.01)
    assert scan([one], 2.0)[0].score == pytest.approx(51.34, abs=0.01)


def test_a_pair_has_to_be_worth_its_second_condition() -> None:
    one = counts([120, 120, 120, 20], [200, 200, 200, 200])
    (part,) = scan([one], 1.0)
    assert part.scope == PAID_ON_MOBILE
    # 2 [l(20, 200) + l(360, 600) - l(380, 800)] - 3 = 2 (-65.017 - 403.807 + 553.517) - 3.
    assert part.score == pytest.approx(166.39, abs=0.01)


def test_two_parts_one_after_the_other() -> None:
    values = np.array([(d, c) for d in "abc" for c in ("x", "y")], dtype=object)
    one = counts([60, 60, 10, 10, 30, 30], [100] * 6, values)
    assert [part.scope for part in scan([one], 1.0)] == [
        (("device", "b"),),
        (("device", "c"),),
    ]


def test_a_part_is_counted_without_those_before_it() -> None:
    """Phones stand out first, then Email among the rest: 10 of the 100 on desktop."""
    one = counts([10, 60, 5, 5], [100, 100, 100, 100])
    first, second = scan([one], 1.0)
    assert (first.scope, first.counted) == (MOBILE, Counted(10.0, 200.0))
    assert (second.scope, second.counted) == ((("channel", "Email"),), Counted(10.0, 100.0))


def test_nothing_stands_out() -> None:
    # 104 of 200 against 316 of 600 is chance; 20 sessions are too few whatever they do.
    even = counts([104, 106, 105, 105], [200] * 4)
    assert scan([even], 1.0) == []
    few = counts([1200, 1200, 0, 0], [2000, 2000, 10, 10])
    assert scan([few], 1.0) == []


def test_what_is_folded_away_is_no_part() -> None:
    values = VALUES.copy()
    values[2:, 0] = "(other)"
    one = counts([120, 120, 50, 50], [200] * 4, values)
    assert all("(other)" not in dict(scope).values() for scope in one.cube.scopes)
    assert scan([one], 1.0) == []


def test_the_whole_shop_where_the_rest_leaks_as_well() -> None:
    # 10 and 30 % of a floor of 50 %: phones alone explain two thirds of what is missing.
    both = counts([60, 60, 20, 20], [200] * 4)
    assert scopes_of(judged(), [both]) == [WHOLE]
    # 45 % elsewhere: phones explain 160 of 180.
    assert scopes_of(judged(), [counts([90, 90, 20, 20], [200] * 4)]) == [WHOLE]
    # 49 % elsewhere: 160 of 164.
    assert scopes_of(judged(), [counts([98, 98, 20, 20], [200] * 4)]) == [MOBILE]


def test_a_part_that_leaks_in_a_shop_that_does_not() -> None:
    one = counts([180, 180, 20, 20], [200, 200, 60, 60])
    assert scopes_of(judged(is_leak=False), [one]) == [MOBILE]
    # Worse than elsewhere, but above the floor.
    fine = counts([180, 180, 120, 120], [200] * 4)
    assert scopes_of(judged(is_leak=False), [fine]) == []
    assert scopes_of(judged(), [fine]) == [WHOLE]


def test_what_a_scope_explains() -> None:
    # Missing to 50 %: 0 and 10 on desktop, 80 and 10 on phones.
    one = counts([120, 90, 20, 90], [200] * 4)
    assert explained_share(0.5, one, MOBILE) == pytest.approx(0.9)
    assert explained_share(0.5, one, PAID_ON_MOBILE) == pytest.approx(0.1)
    assert np.isnan(explained_share(0.01, one, MOBILE))


def test_dispersion_from_neighbouring_days() -> None:
    # 40 and 60 of 100 in turn: (0.2)^2 / (0.25 * 2 / 100) = 8.
    swinging = np.tile([40.0, 60.0], 7)
    assert dispersion(swinging, np.full(14, 100.0)) == pytest.approx(8.0)
    # One step in 28 days moves it little: of 27 pairs one has (0.4)^2 / (0.3 * 0.7 * 2 / 100).
    fallen = np.repeat([50.0, 10.0], 14)
    assert dispersion(fallen, np.full(28, 100.0)) == pytest.approx(0.16 / 0.0042 / 27)
    assert dispersion(swinging[:6], np.full(6, 100.0)) == 1.0


def test_unknown_days_are_no_zeros() -> None:
    one = counts([120, 120, 50, 50], [200] * 4)
    one.cube.counts[1, :, 1:] = np.nan
    told = one.cube.step(1, 0)
    assert np.isnan(told.trials[:, 1:]).all()
    assert told.of(WHOLE) == Counted(340.0, 800.0)
    assert np.isnan(told.by_day(MOBILE)[0][1:]).all()


@pytest.mark.parametrize(
    "scope", [WHOLE, MOBILE, PAID_ON_MOBILE, (("country", 'Côte "d’Ivoire"'),)]
)
def test_scopes_survive_their_text(scope: tuple[tuple[str, str], ...]) -> None:
    assert from_json(as_json(scope)) == scope


def test_scopes_in_words() -> None:
    assert label(WHOLE) == "the whole shop"
    assert label(PAID_ON_MOBILE) == "mobile and Paid"
